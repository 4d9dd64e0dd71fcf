// Command walk prints the walk of one warm Append, Get and Sweep: the functions
// that run, by layer, and the frames from the public call to bbolt's Put.
//
//	go run ./walk
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	walks, err := Trace("walk/testdata/trace")
	if err != nil {
		fmt.Fprintln(os.Stderr, "walk:", err)
		os.Exit(1)
	}
	for _, w := range walks {
		w.print(os.Stdout)
	}
}

// A Walk lists the code that one call runs.
type Walk struct {
	Call      string
	Functions []Function // of this repository, by file and line
	Frames    []string   // from the public call to bbolt's Put; none if it writes nothing
}

// A Function is a function that ran.
type Function struct {
	File, Name string
}

// Layer returns the directory of the function.
func (f Function) Layer() string {
	dir := filepath.ToSlash(filepath.Dir(f.File))
	if dir == "." {
		return "root"
	}
	return dir
}

// Files returns the number of files whose functions ran.
func (w Walk) Files() int {
	files := map[string]bool{}
	for _, f := range w.Functions {
		files[f.File] = true
	}
	return len(files)
}

func (w Walk) print(out io.Writer) {
	fmt.Fprintf(out, "%s: %d functions in %d files, %d frames to Put\n",
		w.Call, len(w.Functions), w.Files(), len(w.Frames))
	layers := map[string][]string{}
	for _, f := range w.Functions {
		layers[f.Layer()] = append(layers[f.Layer()], f.Name)
	}
	for _, layer := range slices.Sorted(maps.Keys(layers)) {
		fmt.Fprintf(out, "  %-34s %3d  %s\n", layer, len(layers[layer]), strings.Join(layers[layer], " "))
	}
	for i, f := range w.Frames {
		fmt.Fprintf(out, "  %2d %s\n", i+1, strings.TrimPrefix(f, "github.com/seshatdb/"))
	}
	fmt.Fprintln(out)
}

const module = "github.com/seshatdb/seshat/"

// Trace builds and runs the program in dir, and returns the walks of its calls.
func Trace(dir string) (walks []Walk, err error) {
	tmp, err := os.MkdirTemp("", "walk")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	program, err := build(dir, tmp)
	if err != nil {
		return nil, err
	}
	run := exec.Command(program, tmp)
	run.Env = append(os.Environ(), "GOCOVERDIR="+tmp)
	out, err := output(run)
	if err != nil {
		return nil, err
	}
	var stacks map[string][]string
	if err := json.Unmarshal(out, &stacks); err != nil {
		return nil, err
	}
	for _, call := range []string{"Append", "Get", "Sweep"} {
		functions, err := covered(filepath.Join(tmp, call))
		if err != nil {
			return nil, err
		}
		frames := stacks[call]
		slices.Reverse(frames)
		walks = append(walks, Walk{call, functions, frames})
	}
	return walks, nil
}

// build builds the program with counters in the packages of the store, and with
// a bbolt whose Put calls PutHook.
func build(dir, tmp string) (program string, err error) {
	modfile, err := replaceBbolt(tmp)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	program = filepath.Join(tmp, "trace")
	packages := []string{
		module + "test/walk/testdata/trace", module[:len(module)-1], module + "driver/...", module + "internal/...",
	}
	_, err = output(goCommand("build", "-cover", "-covermode=atomic", "-modfile", modfile,
		"-coverpkg="+strings.Join(packages, ","), "-o", program, dir))
	return program, err
}

// goCommand returns a command of the go tool outside the workspace, because
// modules of a workspace cannot be replaced.
func goCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	return cmd
}

// replaceBbolt copies bbolt, so that its Put can call PutHook, and returns a
// copy of this module's go.mod that uses the copy.
func replaceBbolt(tmp string) (modfile string, err error) {
	where, err := output(goCommand("list", "-m", "-f", "{{.Dir}}", "go.etcd.io/bbolt"))
	if err != nil {
		return "", err
	}
	bbolt := filepath.Join(tmp, "bbolt")
	if err := os.CopyFS(bbolt, os.DirFS(strings.TrimSpace(string(where)))); err != nil {
		return "", err
	}
	if err := hookPut(filepath.Join(bbolt, "bucket.go")); err != nil {
		return "", err
	}
	own, err := output(goCommand("env", "GOMOD"))
	if err != nil {
		return "", err
	}
	gomod := strings.TrimSpace(string(own))
	content, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	sums, err := os.ReadFile(strings.TrimSuffix(gomod, ".mod") + ".sum")
	if err != nil {
		return "", err
	}
	content = fmt.Appendf(content, "\nreplace go.etcd.io/bbolt => %s\n", bbolt)
	modfile = filepath.Join(tmp, "go.mod")
	return modfile, errors.Join(
		os.WriteFile(modfile, content, 0o600), os.WriteFile(filepath.Join(tmp, "go.sum"), sums, 0o600))
}

// hookPut lets the Put in a copy of bbolt's bucket.go call PutHook.
func hookPut(bucket string) error {
	source, err := os.ReadFile(bucket)
	if err != nil {
		return err
	}
	const put = "func (b *Bucket) Put(key []byte, value []byte) (err error) {\n"
	if bytes.Count(source, []byte(put)) != 1 {
		return fmt.Errorf("bbolt has no such method: %s", put)
	}
	hooked := bytes.Replace(source, []byte(put), []byte(put+"\tif PutHook != nil {\n\t\tPutHook()\n\t}\n"), 1)
	hooked = append(hooked, "\n// PutHook is called by each Put.\nvar PutHook func()\n"...)
	return os.WriteFile(bucket, hooked, 0o600)
}

// covered returns the functions of the store that ran according to the counters
// in dir.
func covered(dir string) (functions []Function, err error) {
	out, err := output(goCommand("tool", "covdata", "func", "-i", dir))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		parts := strings.Fields(line)
		if len(parts) != 3 || parts[2] == "0.0%" || !strings.HasPrefix(parts[0], module) {
			continue
		}
		file, _, _ := strings.Cut(strings.TrimPrefix(parts[0], module), ":")
		if strings.HasPrefix(file, "test/") {
			continue // of the program itself
		}
		functions = append(functions, Function{File: file, Name: parts[1]})
	}
	return functions, nil
}

// output runs a command. Its error includes the command's stderr.
func output(cmd *exec.Cmd) ([]byte, error) {
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, complaints.String())
	}
	return out, nil
}
