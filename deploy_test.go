package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// deployments are the examples, of which nobody notices here that they no longer work.
func deployments(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("deploy/kubernetes/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v %v", files, err)
	}
	return append(files, "docker-compose.yml")
}

// documents reads the YAML documents of a file. A key that stands twice is an error.
func documents(t *testing.T, file string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder, list := yaml.NewDecoder(bytes.NewReader(text)), []map[string]any(nil)
	for {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, document)
	}
}

// Each variable that an example sets is one of the server.
func TestDeploymentsSetVariablesThatExist(t *testing.T) {
	parser, err := kong.New(&cli{}, options()...)
	if err != nil {
		t.Fatal(err)
	}
	flags := parser.Model.Flags
	for _, command := range parser.Model.Leaves(true) {
		flags = append(flags, command.Flags...)
	}
	var known []string
	for _, flag := range flags {
		known = append(known, flag.Envs...)
	}
	seen := 0
	for _, file := range append(deployments(t), "Dockerfile") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`LETTERLOCK_[A-Z_]+`).FindAllString(string(text), -1) {
			seen++
			if !slices.Contains(known, name) {
				t.Errorf("%s sets %s, which the server does not know", file, name)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d variables were looked at", seen)
	}
}

// What an example sets, the server takes, and it is given the time that it then needs to stop.
func TestDeploymentsFitTheServer(t *testing.T) {
	for name, example := range map[string]func(*testing.T) (map[string]string, time.Duration){
		"compose": composeNode, "kubernetes": kubernetesNode,
	} {
		t.Run(name, func(t *testing.T) {
			environment, grace := example(t)
			for variable, value := range environment {
				t.Setenv(variable, value)
			}
			var c cli
			parser, err := kong.New(&c, options()...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Serve.Limits.Validate(); err != nil {
				t.Error(err)
			}
			if c.Database == "" || c.Serve.NATS == "" || len(c.Serve.PublicURL) == 0 {
				t.Errorf("database %q, NATS %q, public URL %q", c.Database, c.Serve.NATS, c.Serve.PublicURL)
			}
			if need := c.Serve.Limits.DrainDelay + c.Serve.Limits.StopTimeout; grace <= need {
				t.Errorf("a node may take %v to stop, and is killed after %v", need, grace)
			}
		})
	}
}

func composeNode(t *testing.T) (map[string]string, time.Duration) {
	t.Helper()
	var file struct {
		Node struct {
			Environment     map[string]string
			StopGracePeriod time.Duration `yaml:"stop_grace_period"`
		} `yaml:"x-node"`
	}
	decode(t, documents(t, "docker-compose.yml")[0], &file)
	return file.Node.Environment, file.Node.StopGracePeriod
}

func kubernetesNode(t *testing.T) (map[string]string, time.Duration) {
	t.Helper()
	for _, file := range deployments(t) {
		documents(t, file) // all of them can be read
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					Grace      int64 `yaml:"terminationGracePeriodSeconds"`
					Containers []struct {
						Env []struct{ Name, Value string }
					}
				}
			}
		}
	}
	decode(t, documents(t, "deploy/kubernetes/letterlock.yaml")[0], &deployment)
	pod, environment := deployment.Spec.Template.Spec, map[string]string{}
	for _, variable := range pod.Containers[0].Env {
		environment[variable.Name] = variable.Value
	}
	return environment, time.Duration(pod.Grace) * time.Second
}

// Whoever reaches NATS can try its password: the nodes do, and its servers each other, and nobody else.
func TestDeploymentLetsOnlyNodesReachNATS(t *testing.T) {
	type selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	type pods struct {
		Spec struct {
			Template struct {
				Metadata struct{ Labels map[string]string }
				Spec     struct {
					Containers []struct {
						Ports []struct{ Name string }
					}
				}
			}
		}
	}
	var policy struct {
		Kind string
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
	files := documents(t, "deploy/kubernetes/nats.yaml")
	decode(t, files[len(files)-1], &policy)
	var nats, nodes pods
	decode(t, files[0], &nats)
	decode(t, documents(t, "deploy/kubernetes/letterlock.yaml")[0], &nodes)
	if own := nats.Spec.Template.Metadata.Labels; policy.Kind != "NetworkPolicy" || !maps.Equal(policy.Spec.PodSelector.MatchLabels, own) || !slices.Contains(policy.Spec.PolicyTypes, "Ingress") {
		t.Fatalf("%+v does not guard pods of %v", policy, own)
	}
	reaches := map[string]map[string]string{}
	for _, rule := range policy.Spec.Ingress {
		if len(rule.From) != 1 || len(rule.Ports) != 1 {
			t.Fatalf("%+v", rule)
		}
		reaches[rule.Ports[0].Port] = rule.From[0].PodSelector.MatchLabels
	}
	if want := map[string]map[string]string{"client": nodes.Spec.Template.Metadata.Labels, "route": nats.Spec.Template.Metadata.Labels}; !reflect.DeepEqual(reaches, want) {
		t.Errorf("%v, want %v", reaches, want)
	}
	var named []string
	for _, port := range nats.Spec.Template.Spec.Containers[0].Ports {
		named = append(named, port.Name)
	}
	if !slices.Contains(named, "client") || !slices.Contains(named, "route") {
		t.Errorf("ports are %v", named)
	}
}

func decode(t *testing.T, document map[string]any, into any) {
	t.Helper()
	text, err := yaml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
