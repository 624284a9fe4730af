package plan_test

import (
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/internal/plan"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := plan.NewTurns(2)
		const long, work = 1 << 20, time.Second
		start := time.Now()
		ended := make(chan time.Duration, 5)
		for range 5 {
			go func() {
				defer turns.Give(turns.Take(long))
				time.Sleep(work)
				ended <- time.Since(start)
			}()
		}
		synctest.Wait()
		// Short bodies pass by.
		turns.Give(turns.Take(100))
		if waited := time.Since(start); waited != 0 {
			t.Errorf("a short body waited for %v", waited)
		}
		for i, want := range []time.Duration{work, work, 2 * work, 2 * work, 3 * work} {
			if got := <-ended; got != want {
				t.Errorf("%d: ended after %v, want %v", i, got, want)
			}
		}
	})
	var none *plan.Turns
	none.Give(none.Take(1 << 20))
}
