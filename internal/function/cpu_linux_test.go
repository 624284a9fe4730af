package function

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkCPU reports the processor time of a warm invocation, the gateway's and the function's together.
func BenchmarkCPU(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(strconv.Itoa(callers)+" callers", func(b *testing.B) {
			m := newManager(b, Options{})
			s := nodeSpec(b, "index.js", helloNode)
			invoke(b, m, s, helloEvent)
			before := processorTime(b, m)
			began := time.Now()
			var wg sync.WaitGroup
			calls := make(chan struct{}, callers)
			for range callers {
				wg.Go(func() {
					for range calls {
						if _, err := m.Invoke(b.Context(), s, &Invocation{Payload: []byte(helloEvent), RequestID: testRequestID}); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for range b.N {
				calls <- struct{}{}
			}
			close(calls)
			wg.Wait()
			b.ReportMetric(float64((processorTime(b, m)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
		})
	}
}

// processorTime sums what this process and the functions' have used.
func processorTime(b *testing.B, m *Manager) time.Duration {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := range m.live {
		for _, pid := range append(childrenOf(e.process.cmd.Process.Pid), e.process.cmd.Process.Pid) {
			text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			if err != nil {
				continue
			}
			fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
			for _, field := range fields[11:13] { // utime and stime, in hundredths
				n, err := strconv.Atoi(field)
				if err != nil {
					b.Fatal(err)
				}
				sum += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return sum
}
