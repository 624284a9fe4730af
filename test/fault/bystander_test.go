package fault

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"gatehouse/test/frame"
)

// bystander asks for an echo again and again until stop is closed, and returns
// how long each took.
func bystander(t *testing.T, c *frame.Conn, stop <-chan struct{}) <-chan []time.Duration {
	done := make(chan []time.Duration, 1)
	go func() {
		var took []time.Duration
		defer func() { done <- took }()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			want := fmt.Sprint("bystander ", i)
			began := time.Now()
			if err := c.SendText(want); err != nil {
				t.Errorf("a bystander can't send: %v", err)
				return
			}
			f, err := c.Receive(patience)
			if err != nil || string(f.Payload) != want {
				t.Errorf("a bystander got %s, %v", f, err)
				return
			}
			took = append(took, time.Since(began))
		}
	}()
	return done
}

// besides does something to the gateway while others use it, who must hardly
// notice. On a machine that does much else they may wait as many times longer.
func (a *api) besides(t *testing.T, do func()) {
	t.Helper()
	const usualMedian, usualMost = 250 * time.Millisecond, 5 * time.Second
	stop := make(chan struct{})
	crowded := crowding(stop)
	var all []<-chan []time.Duration
	for range 5 {
		c := a.open(t, "")
		defer c.Close() //nolint:errcheck // nothing more is asked of it
		all = append(all, bystander(t, c, stop))
	}
	do()
	close(stop)
	var took []time.Duration
	for _, done := range all {
		took = append(took, <-done...)
	}
	if len(took) == 0 {
		t.Fatal("no bystander was served")
	}
	slices.Sort(took)
	times := time.Duration(<-crowded)
	median, most := took[len(took)/2], took[len(took)-1]
	t.Logf("%d echoes beside it: median %s, longest %s; work took %d times as long as it should", len(took), median, most, times)
	if median > usualMedian*times || most > usualMost*times {
		t.Errorf("the median of %d echoes took %s, the longest %s, where work took %d times as long as it should", len(took), median, most, times)
	}
}

// crowding does a little work now and then until stop is closed and tells how many
// times longer that took than it would have with a processor to itself: 1 or more,
// and 1 where that isn't known.
func crowding(stop <-chan struct{}) <-chan int {
	result := make(chan int, 1)
	go func() {
		runtime.LockOSThread() // whose time is looked at, and which ends with this
		var work, took time.Duration
		defer func() { result <- max(1, int(took/max(1, work))) }()
		for {
			began := time.Now()
			before, known := threadTime()
			if !known {
				return
			}
			spent := time.Duration(0)
			for spent < 2*time.Millisecond {
				sha256.Sum256(make([]byte, 4<<10))
				now, _ := threadTime()
				spent = now - before
			}
			work, took = work+spent, took+time.Since(began)
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return result
}

// threadTime is how long the thread has been on a processor, where that is known.
func threadTime() (spent time.Duration, known bool) {
	const thread = 1 // Linux's RUSAGE_THREAD
	var usage syscall.Rusage
	err := syscall.Getrusage(thread, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err == nil
}
