package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
)

// A test starts its own program again as a child process. This variable holds
// the child's task.
const envChild = "SESHAT_CRASH_CHILD"

// task is the task of a child process.
type task struct {
	Do   string // "write" or "check"
	Path string // of the store
	Seed uint64
	Kind string
	// for write
	From, To int
	Log      string
	Fault    fault
	// for check
	Quiet bool
}

// Child runs the task in the environment, if any, and reports whether there was
// one.
func Child() bool {
	text := os.Getenv(envChild)
	if text == "" {
		return false
	}
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		panic(err)
	}
	w := &work{seed: t.Seed, kind: t.Kind, quiet: t.Quiet}
	switch t.Do {
	case "check":
		checkImages(t.Path, w)
	case "write":
		if err := writeRecorded(w, t); err != nil && t.Fault.Nth == 0 {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	return true
}

// child returns a command that runs a task in a child process.
func child(t task, w *work) (*exec.Cmd, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t.Seed = w.seed
	t.Kind = w.kind
	t.Quiet = w.quiet
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), envChild+"="+string(text))
	return cmd, nil
}

// question is what is asked of an image: the first steps were acknowledged; is
// it right, and if GoOn, does it stay so when work goes on? For images of the
// kind group see verifyGroup.
type question struct {
	Acked         int
	GoOn          bool
	Learn         bool
	Before, After string
}

// reply is what is wrong with an image, or "", and for the kind group what it
// shows and how far its members are.
type reply struct {
	Bad    string
	Digest string
	At     progress
}

// checkImages answers questions, each about the image that is at path at that
// time.
func checkImages(path string, w *work) {
	debug.SetGCPercent(800) // of a heap of a few megabytes
	ctx := context.Background()
	ref, err := newReference(&work{seed: w.seed, kind: w.kind})
	if err != nil {
		fmt.Println(err)
		return
	}
	group := crowd{w: w}
	in := json.NewDecoder(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		var q question
		if err := in.Decode(&q); err != nil {
			return
		}
		var a reply
		if w.kind == "group" {
			a = group.verifyGroup(ctx, path, q)
		} else {
			a.Bad = verify(ctx, path, w, ref, q)
		}
		if err := out.Encode(a); err != nil {
			return
		}
	}
}
