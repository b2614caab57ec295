# benchtable.awk: makes a Markdown table of what benchstat -format csv says: a line for each benchmark, with its time and its
# allocations, before and after.
BEGIN {
  FS = ","
  print "| benchmark | before | after | difference | allocations before | after |\n| --- | --- | --- | --- | --- | --- |"
}

function time(s) {
  if (s == "") return "–"
  if (s < 1e-6) return sprintf("%.3g ns", s * 1e9)
  if (s < 1e-3) return sprintf("%.3g µs", s * 1e6)
  return sprintf("%.3g ms", s * 1e3)
}

function count(n) { return n == "" ? "–" : sprintf("%.0f", n) }

# flush prints the lines of a package.
function flush(  i, key) {
  for (i = 1; i <= n; i++) {
    key = order[i]
    if (key in took) printf "| %s | %s | %s | %s | %s |\n", key, took[key], diff[key], (key in before) ? before[key] : "", (key in after) ? after[key] : ""
  }
  n = 0
  split("", took); split("", diff); split("", before); split("", after)
}

/^pkg: / {
  flush()
  package = $1
  sub(/^pkg: *(.*letterlock\/)?/, "", package)
  next
}
/^,(before|after),/ { columns = $2 == "after" ? "after" : $4 == "after" ? "both" : "before"; next }
/^,[^,]*\/[^,]*,CI/ { unit = $2; next }
NF < 2 || /^(geomean|goos|goarch|cpu|pkg)/ { next }

{
  old = columns == "after" ? "" : $2
  new = columns == "after" ? $2 : columns == "both" ? $4 : ""
  name = $1
  sub(/-[0-9]+$/, "", name)
  key = package " " name
  if (unit ~ /^cpu-sec\//) key = key ", CPU a " substr(unit, 9)
  if (unit != "sec/op" && unit != "allocs/op" && unit !~ /^cpu-sec\//) next
  if (unit == "allocs/op") {
    before[key] = count(old)
    after[key] = count(new)
    next
  }
  order[++n] = key
  took[key] = time(old) " | " time(new)
  diff[key] = old == "" || new == "" ? "–" : $6 == "~" ? "none seen" : $6
}

END { flush() }
