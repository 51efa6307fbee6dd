package dataplane

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The axes of the matrix.
var (
	matrixParts  = []string{"sidecar", "Envoy", "upstream", "classifier"}
	matrixFaults = []string{"killed", "stopped", "slow", "closes cleanly", "closes with error", "sends garbage", "sends too much"}
	matrixWhens  = []string{beforeHeaders, inRequest, beforeFirstByte, inMidStream, atEnd}
)

// When a fault happens to an exchange.
const (
	beforeHeaders   = "before headers"
	inRequest       = "in the request"
	beforeFirstByte = "before the first byte"
	inMidStream     = "in mid-stream"
	atEnd           = "at the end"
)

// TestFaultMatrix breaks each part in each way at each time and looks at what
// got by: no byte may reach the client or the upstream that was not inspected,
// the client must learn of it in time, and the next request must be served. It
// prints what it saw as a table, into the file MATRIX_TABLE if that is named.
//
// Where one fault meets all exchanges of a process at once, as a kill does,
// there is an exchange of each kind at each time, and one fault.
func TestFaultMatrix(t *testing.T) {
	m := &matrix{}
	var groups sync.WaitGroup
	for name, group := range map[string]func(*testing.T, *matrix){
		"upstream":           matrixUpstream,
		"sidecar":            matrixSidecar,
		"processor":          matrixProcessor,
		"Envoy":              matrixEnvoy,
		"Envoy stopped":      matrixEnvoyStopped,
		"Envoy as a speaker": matrixEnvoySpeaks,
		"classifier":         matrixClassifier,
		"client":             matrixClient,
	} {
		// They wait more than they work, so not for a place in -parallel.
		groups.Go(func() { t.Run(name, func(t *testing.T) { group(t, m) }) })
	}
	groups.Wait()
	table := m.table(t)
	t.Logf("\n%s", table)
	if file := os.Getenv("MATRIX_TABLE"); file != "" {
		if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// cell is a place in the matrix; how tells apart what one name covers.
type cell struct{ part, fault, when, how string }

func (c cell) String() string { return strings.Join([]string{c.part, c.fault, c.when, c.how}, ", ") }

// fate is what became of one exchange.
type fate struct {
	proto            string
	upstream, client int // bytes that arrived there
	uninspected      int // of those
	trap             bool
	saw, verdict     string
	know             time.Duration // until the client knew
	next             string        // whether the next request was served
	cannot           string        // why the cell does not exist
}

type matrix struct {
	mu   sync.Mutex
	rows map[cell][]fate
}

func (m *matrix) add(c cell, o fate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = make(map[cell][]fate)
	}
	m.rows[c] = append(m.rows[c], o)
}

// cannot notes why there is no such cell, at any of the times.
func (m *matrix) cannot(part, fault, why string, whens ...string) {
	for _, w := range whens {
		m.add(cell{part, fault, w, ""}, fate{cannot: why})
	}
}

// table checks that no cell was left out and writes all of them.
func (m *matrix) table(t *testing.T) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := make(map[cell]bool)
	var cells []cell
	for c := range m.rows {
		there[cell{c.part, c.fault, c.when, ""}] = true
		cells = append(cells, c)
	}
	for _, part := range matrixParts {
		for _, fault := range matrixFaults {
			for _, when := range matrixWhens {
				if !there[cell{part, fault, when, ""}] {
					t.Errorf("no cell for %s, %s, %s", part, fault, when)
				}
			}
		}
	}
	rank := func(c cell) int {
		return (slices.Index(matrixParts, c.part)+1)*100 + slices.Index(matrixFaults, c.fault)*10 + slices.Index(matrixWhens, c.when)
	}
	slices.SortFunc(cells, func(a, b cell) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a.how, b.how)) })
	var b strings.Builder
	b.WriteString("| part | fault | when | bytes at upstream | bytes at client | uninspected bytes | client saw | verdict | time to know | next served |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|\n")
	exchanges, uninspected := 0, 0
	for _, c := range cells {
		fault := c.fault
		if c.how != "" {
			fault += ": " + c.how
		}
		fates := m.rows[c]
		if why := fates[0].cannot; why != "" {
			fmt.Fprintf(&b, "| %s | %s | %s | | | | no such cell: %s | | | |\n", c.part, fault, c.when, why)
			continue
		}
		slices.SortStableFunc(fates, func(a, b fate) int { return strings.Compare(a.proto, b.proto) })
		column := func(f func(fate) string) string { return merged(fates, f) }
		number := func(f func(fate) int) string {
			return column(func(o fate) string { return fmt.Sprint(f(o)) })
		}
		for _, o := range fates {
			exchanges++
			if !o.trap {
				uninspected += o.uninspected
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.part, fault, c.when,
			number(func(o fate) int { return o.upstream }), number(func(o fate) int { return o.client }),
			number(func(o fate) int { return o.uninspected }),
			column(func(o fate) string { return o.saw }), column(func(o fate) string { return o.verdict }),
			column(func(o fate) string { return about(o.know) }), column(func(o fate) string { return o.next }))
	}
	fmt.Fprintf(&b, "\n%d rows, %d exchanges, %d uninspected bytes but for those of the trap that is named.\n", len(cells), exchanges, uninspected)
	return b.String()
}

// merged is what all fates have in common, or what each has.
func merged(fates []fate, f func(fate) string) string {
	var parts []string
	same := true
	for _, o := range fates {
		same = same && f(o) == f(fates[0])
		parts = append(parts, o.proto+": "+f(o))
	}
	if same {
		return f(fates[0])
	}
	return strings.Join(slices.Compact(parts), "; ")
}

// atOnce runs cells that share processes, a few at once.
func atOnce(t *testing.T, cells map[string]func(*testing.T)) {
	t.Helper()
	var running sync.WaitGroup
	places := make(chan struct{}, 12)
	for name, run := range cells {
		running.Go(func() {
			places <- struct{}{}
			t.Run(name, run)
			<-places
		})
	}
	running.Wait()
}

// about rounds a time so that the table says what there is to be said.
func about(d time.Duration) string {
	switch {
	case d < 50*time.Millisecond:
		return "< 0.05 s"
	case d < time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
