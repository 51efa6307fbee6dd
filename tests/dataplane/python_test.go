package dataplane

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const requirements = "python/requirements.txt"

// python is a running python/sdks.py, which asks as it is told.
type python struct {
	stdin io.Writer

	mu      sync.Mutex
	pending map[int]*pythonJob
	ended   chan struct{} // it says no more
}

type pythonJob struct {
	seen func()
	told chan outcome
}

// pythonPath is the interpreter that finds the SDKs, which make python sets up.
func pythonPath(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	interpreter, err := filepath.Abs("../../.tools/python-" + hex.EncodeToString(sum[:])[:12] + "/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(interpreter); err != nil {
		t.Fatalf("the SDKs for Python are not set up (no %s): run make python", interpreter)
	}
	return interpreter
}

// startPython starts the script.
func startPython(t *testing.T) *python {
	t.Helper()
	const script = "python/sdks.py"
	if _, err := os.Stat(script); err != nil { // go test's cache sees what a test looks at
		t.Fatal(err)
	}
	cmd := exec.Command(pythonPath(t), script)
	// No settings of the SDKs are taken from whoever runs the tests.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &python{stdin: stdin, pending: make(map[int]*pythonJob), ended: make(chan struct{})}
	go p.listen(stdout)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
		_ = cmd.Wait()
	})
	return p
}

// listen hands what the script says to those who wait for it.
func (p *python) listen(stdout io.Reader) {
	defer close(p.ended)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			ID         int
			Seen, Done bool
			outcome
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			fmt.Fprintf(os.Stderr, "python: %v: %s\n", err, lines.Text())
			continue
		}
		p.mu.Lock()
		job := p.pending[line.ID]
		p.mu.Unlock()
		switch {
		case job == nil:
		case line.Done:
			job.told <- line.outcome
		case line.Seen:
			job.seen()
		}
	}
}

// do has the script do a job. It gives up with the job's time.
func (p *python) do(j job, async bool) outcome {
	mine := &pythonJob{j.seen, make(chan outcome, 1)}
	p.mu.Lock()
	id := len(p.pending) + 1
	p.pending[id] = mine
	line, err := json.Marshal(map[string]any{
		"id": id, "async": async, "api": j.api, "way": j.way, "words": j.words, "url": j.sidecar.url, "ca": j.sidecar.caFile,
		"token": strings.TrimPrefix(j.token, "Bearer "), "api_key": j.apiKey, "timeout": j.timeout.Seconds(), "more": j.more,
	})
	if err == nil {
		_, err = p.stdin.Write(append(line, '\n'))
	}
	p.mu.Unlock()
	if err != nil {
		return outcome{Raised: "no answer: " + err.Error()}
	}
	select {
	case o := <-mine.told:
		return o
	case <-p.ended:
		return outcome{Raised: "no answer: python ended"}
	case <-j.ctx.Done():
		return outcome{Raised: "no answer: " + j.ctx.Err().Error()}
	}
}
