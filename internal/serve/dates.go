package serve

import (
	"sync/atomic"
	"time"
)

// dates keeps the text of the date header, which changes once a second.
type dates struct {
	last atomic.Pointer[date]
}

type date struct {
	second int64
	text   string
}

func (d *dates) text(now time.Time) string {
	second := now.Unix()
	if last := d.last.Load(); last != nil && last.second == second {
		return last.text
	}
	next := &date{second, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}
	d.last.Store(next)
	return next.text
}
