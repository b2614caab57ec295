package socket

// few are members, mostly one: a map of its own for each device would be a good part of what an idle socket costs.
type few struct {
	one  member
	more map[member]struct{}
}

// with gives them with m among them.
func (f few) with(m member) few {
	switch {
	case f.one == nil || f.one == m:
		f.one = m
	case f.more == nil:
		f.more = map[member]struct{}{m: {}}
	default:
		f.more[m] = struct{}{}
	}
	return f
}

// without gives them without m.
func (f few) without(m member) few {
	if f.one == m {
		f.one = nil
	}
	delete(f.more, m)
	if len(f.more) == 0 {
		f.more = nil
	}
	return f
}

func (f few) empty() bool { return f.one == nil && f.more == nil }

func (f few) all() []member {
	var all []member
	if f.one != nil {
		all = append(all, f.one)
	}
	for m := range f.more {
		all = append(all, m)
	}
	return all
}
