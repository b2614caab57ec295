package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
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
