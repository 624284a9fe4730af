package balance

import (
	"sync/atomic"
	"time"
)

// A State is what is known of a target's health.
type State string

// The states, as DescribeTargetHealth names them.
const (
	// Initial is before the first check's outcome counts.
	Initial   State = "initial"
	Healthy   State = "healthy"
	Unhealthy State = "unhealthy"
	// Unused is the state of targets that no listener leads to. They aren't checked.
	Unused State = "unused"
	// Unavailable is the state of targets whose group has no health checks.
	Unavailable State = "unavailable"
)

// A Health is a target's health and why it is that.
type Health struct {
	State State
	// Reason is AWS's code, "" for a healthy target; Description its words.
	Reason, Description string
}

// suspicion is how long a target that couldn't be connected to is passed over
// where there is another one.
const suspicion = time.Second

// A Target is an address that requests go to.
type Target struct {
	// Addr is its host and port.
	Addr string

	inFlight atomic.Int64
	// suspect is until when it is passed over, in Unix nanoseconds.
	suspect atomic.Int64
	gone    atomic.Bool

	// What follows is the Balancer's, under its lock.
	key       string
	checkAddr string
	health    Health
	passed    int // checks in a row
	failed    int
	due       time.Time // of the next check
	checking  bool
}

// Begin counts a request that is sent to the target until End.
func (t *Target) Begin() { t.inFlight.Add(1) }

// End ends what Begin began.
func (t *Target) End() { t.inFlight.Add(-1) }

// Suspect has the target passed over for a moment: nobody could connect to it.
func (t *Target) Suspect(now time.Time) { t.suspect.Store(now.Add(suspicion).UnixNano()) }

// Gone tells that the target was taken out of its group.
func (t *Target) Gone() bool { return t.gone.Load() }

// observe takes the outcome of a check into account and tells whether the state
// changed. A new target is healthy after one passed check.
func (t *Target) observe(c *Check, failure *Failure) (changed bool) {
	before := t.health.State
	if failure == nil {
		t.passed, t.failed = t.passed+1, 0
		if before == Initial || t.passed >= c.HealthyThreshold {
			t.health = Health{State: Healthy}
		}
	} else {
		t.passed, t.failed = 0, t.failed+1
		if before == Unhealthy || t.failed >= c.UnhealthyThreshold {
			t.health = Health{State: Unhealthy, Reason: failure.Reason, Description: failure.Description}
		}
	}
	return t.health.State != before
}
