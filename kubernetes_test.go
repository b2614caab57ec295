package main

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// workload is what runs pods, as far as it is looked at here.
type workload struct {
	Spec struct {
		Replicas        int
		MinReadySeconds int64 `yaml:"minReadySeconds"`
		Template        struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				Grace      int64 `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Env       []struct{ Name, Value string }
					Ports     []struct{ Name string }
					Resources struct{ Requests struct{ CPU string } }
				}
			}
		}
	}
}

func (w workload) labels() map[string]string { return w.Spec.Template.Metadata.Labels }

func (w workload) environment() map[string]string {
	environment := map[string]string{}
	for _, variable := range w.Spec.Template.Spec.Containers[0].Env {
		environment[variable.Name] = variable.Value
	}
	return environment
}

// cpu is what one pod asks for, in thousandths of a processor.
func (w workload) cpu(t *testing.T) (sum int) {
	t.Helper()
	for _, container := range w.Spec.Template.Spec.Containers {
		milli, fraction := strings.CutSuffix(container.Resources.Requests.CPU, "m")
		n, err := strconv.Atoi(milli)
		if err != nil {
			t.Fatal(err)
		}
		if !fraction {
			n *= 1000
		}
		sum += n
	}
	return sum
}

// object decodes the only one of a kind in a file.
func object[T any](t *testing.T, file, kind string) (into T) {
	t.Helper()
	var found []map[string]any
	for _, document := range documents(t, "deploy/kubernetes/"+file) {
		if document["kind"] == kind {
			found = append(found, document)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d of kind %s", file, len(found), kind)
	}
	decode(t, found[0], &into)
	return into
}

func kubernetesNode(t *testing.T) (map[string]string, time.Duration) {
	t.Helper()
	for _, file := range deployments(t) {
		documents(t, file) // all of them can be read
	}
	nodes := object[workload](t, "letterlock.yaml", "Deployment")
	return nodes.environment(), time.Duration(nodes.Spec.Template.Spec.Grace) * time.Second
}

// All of it, and one node more during an update, fits beside the system's own pods on two processors.
func TestDeploymentFitsASmallCluster(t *testing.T) {
	nodes := object[workload](t, "letterlock.yaml", "Deployment")
	sum := nodes.cpu(t)
	for _, w := range []workload{nodes, object[workload](t, "nats.yaml", "StatefulSet"), object[workload](t, "postgres.yaml", "StatefulSet")} {
		sum += w.Spec.Replicas * w.cpu(t)
	}
	if sum > 1000 {
		t.Errorf("the pods ask for %d thousandths of a processor", sum)
	}
}

// An update takes a node when the one before has sent its clients away.
func TestDeploymentUpdatesOneNodeAtATime(t *testing.T) {
	nodes := object[workload](t, "letterlock.yaml", "Deployment")
	drain, err := time.ParseDuration(nodes.environment()["LETTERLOCK_DRAIN_DELAY"])
	if err != nil {
		t.Fatal(err)
	}
	if pause := time.Duration(nodes.Spec.MinReadySeconds) * time.Second; pause < drain {
		t.Errorf("the next node is stopped after %v, and one takes %v to drain", pause, drain)
	}
}

// PostgreSQL's pod may move: its address must not be one that DNS answers with for half a minute more.
func TestDeploymentKeepsTheAddressOfPostgreSQL(t *testing.T) {
	database, err := url.Parse(object[workload](t, "letterlock.yaml", "Deployment").environment()["LETTERLOCK_DATABASE"])
	if err != nil {
		t.Fatal(err)
	}
	type service struct {
		Metadata struct{ Name string }
		Spec     struct {
			ClusterIP string `yaml:"clusterIP"`
		}
	}
	if s := object[service](t, "postgres.yaml", "Service"); s.Metadata.Name != database.Hostname() || s.Spec.ClusterIP != "" {
		t.Errorf("the nodes ask %q, and the service is %+v", database.Hostname(), s)
	}
}

// Whoever reaches NATS or PostgreSQL can try the password: the nodes do, and NATS's servers each other, and nobody else.
func TestDeploymentLetsOnlyNodesIn(t *testing.T) {
	nodes := object[workload](t, "letterlock.yaml", "Deployment").labels()
	nats, postgres := object[workload](t, "nats.yaml", "StatefulSet"), object[workload](t, "postgres.yaml", "StatefulSet")
	for file, guarded := range map[string]struct {
		pods workload
		from map[string]map[string]string
	}{
		"nats.yaml":     {nats, map[string]map[string]string{"client": nodes, "route": nats.labels()}},
		"postgres.yaml": {postgres, map[string]map[string]string{"postgres": nodes}},
	} {
		t.Run(file, func(t *testing.T) {
			onlyLetsIn(t, object[policy](t, file, "NetworkPolicy"), guarded.pods, guarded.from)
		})
	}
}

type policy struct {
	Spec struct {
		PodSelector selector `yaml:"podSelector"`
		PolicyTypes []string `yaml:"policyTypes"`
		Ingress     []struct {
			From []struct {
				PodSelector selector `yaml:"podSelector"`
			}
			Ports []struct{ Port string }
		}
	}
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

// onlyLetsIn checks that a policy guards the pods, and who may come to which port of theirs.
func onlyLetsIn(t *testing.T, policy policy, pods workload, want map[string]map[string]string) {
	t.Helper()
	if !maps.Equal(policy.Spec.PodSelector.MatchLabels, pods.labels()) || !slices.Contains(policy.Spec.PolicyTypes, "Ingress") {
		t.Fatalf("%+v does not guard pods of %v", policy, pods.labels())
	}
	lets := map[string]map[string]string{}
	for _, rule := range policy.Spec.Ingress {
		if len(rule.From) != 1 || len(rule.Ports) != 1 {
			t.Fatalf("%+v", rule)
		}
		lets[rule.Ports[0].Port] = rule.From[0].PodSelector.MatchLabels
	}
	if !reflect.DeepEqual(lets, want) {
		t.Errorf("%v, want %v", lets, want)
	}
	var named []string
	for _, port := range pods.Spec.Template.Spec.Containers[0].Ports {
		named = append(named, port.Name)
	}
	for port := range want {
		if !slices.Contains(named, port) {
			t.Errorf("ports are %v, without %s", named, port)
		}
	}
}
