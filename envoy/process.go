package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is an Envoy child. Its death is for the caller to watch, by Done; the
// caller's own death kills it.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; to be read once done is closed
}

// LogFormat is how the child writes its log lines.
type LogFormat string

// The log formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// logPattern words the child's log lines as those of the sidecar. %j is the
// message, escaped for JSON; see Envoy's --log-format.
var logPattern = map[LogFormat]string{
	LogText: `time=%Y-%m-%dT%H:%M:%S.%e%z level=%l msg="%j" component=envoy`,
	LogJSON: `{"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","msg":"%j","component":"envoy"}`,
}

// waitDelay is how long a child of a child may hold our end of a pipe open.
const waitDelay = time.Second

// Start runs the Envoy with the bootstrap in the named file. Its log, at level
// warning, goes to stderr. It gets no environment: nothing in Envoy needs any.
func Start(b Binary, bootstrap string, format LogFormat, stderr io.Writer) (*Process, error) {
	cmd := exec.Command(b.Path,
		"--config-path", bootstrap,
		"--disable-hot-restart",
		"--log-level", "warning",
		"--log-format", logPattern[format],
	)
	cmd.Env = []string{}
	cmd.Stdout, cmd.Stderr = stderr, stderr
	cmd.WaitDelay = waitDelay
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Signals of the terminal go to the sidecar, which drains first.
		Setpgid: true,
		// However the sidecar ends, nothing is served without it.
		Pdeathsig: syscall.SIGKILL,
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(p.done)
		// The death signal is sent when the thread ends that started the
		// child, so this one must stay (prctl(2), PR_SET_PDEATHSIG).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting envoy %s: %w", b.Path, err)
	}
	return p, nil
}

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the child's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Err says how the child ended. It blocks until it has.
func (p *Process) Err() error {
	<-p.done
	if p.err == nil {
		return errors.New("envoy ended by itself")
	}
	return fmt.Errorf("envoy ended: %w", p.err)
}

// Stop asks the child to end, which cuts the connections that it still has, and
// kills it when ctx is done. It returns when the child has ended.
func (p *Process) Stop(ctx context.Context) {
	if p.signal(syscall.SIGTERM) {
		select {
		case <-p.done:
			return
		case <-ctx.Done():
		}
		p.signal(syscall.SIGKILL)
	}
	<-p.done
}

func (p *Process) signal(s syscall.Signal) bool {
	err := p.cmd.Process.Signal(s)
	return !errors.Is(err, os.ErrProcessDone)
}
