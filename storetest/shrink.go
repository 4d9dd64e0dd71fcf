package storetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// stepsOf parses a list of steps such as "3,8-12". "" means the steps up to n.
func stepsOf(list string, n int) (steps []int) {
	if list == "" {
		list = fmt.Sprintf("0-%d", n-1)
	}
	for _, part := range strings.Split(list, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil {
			panic("-storetest.only is no list of steps: " + part)
		}
		for n := first; n <= last; n++ {
			steps = append(steps, n)
		}
	}
	return steps
}

// listOf formats steps in the form that stepsOf parses.
func listOf(steps []int) string {
	var parts []string
	for i := 0; i < len(steps); i++ {
		from := i
		for i+1 < len(steps) && steps[i+1] == steps[i]+1 {
			i++
		}
		part := strconv.Itoa(steps[from])
		if i > from {
			part += "-" + strconv.Itoa(steps[i])
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

// shrinkTime is the time limit for shortening a failed run.
const shrinkTime = 2 * time.Minute

// failedAt matches the place of a failure. A shortened run must fail at the
// same place.
var failedAt = regexp.MustCompile(`\w+\.go:\d+: step`)

// shrink searches for a few steps of a run that still fail, and prints them.
// Each trial runs in its own process.
func shrink(t *testing.T, seed uint64, last int) {
	ctx, cancel := context.WithTimeout(context.Background(), shrinkTime)
	defer cancel()
	args := func(steps []int) []string {
		return []string{
			"-test.run=^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$", "-test.v", "-storetest.runs=1",
			fmt.Sprintf("-storetest.seed=%d", seed), "-storetest.only=" + listOf(steps),
		}
	}
	text := ""
	where := ""
	fails := func(steps []int) bool {
		out, err := exec.CommandContext(ctx, os.Args[0], args(steps)...).CombinedOutput()
		at := failedAt.FindString(string(out))
		if err == nil || at == "" || where != "" && at != where {
			return false
		}
		text = string(out)
		where = at
		return true
	}
	steps := stepsOf("", last+1)
	if !fails(steps) {
		t.Logf("seed %d does not fail again", seed)
		return
	}
	steps = fewest(steps, fails)
	t.Logf("%d steps are enough; again with go test %s\n%s", len(steps), strings.Join(args(steps), " "), text)
}

// fewest removes parts of the steps, large parts first, while the rest still
// fails.
func fewest(steps []int, fails func([]int) bool) []int {
	for size := (len(steps) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(steps); {
			less := slices.Concat(steps[:at], steps[min(at+size, len(steps)):])
			if len(less) > 0 && fails(less) {
				steps = less
			} else {
				at += size
			}
		}
	}
	return steps
}
