package main

import (
	"time"

	"github.com/spf13/pflag"

	"gatehouse/internal/serve"
)

// limits are AWS's fixed limits: what it raises for nobody, and what makes up its
// manners. Zero is AWS's own, which the package has that keeps to it.
type limits struct {
	// bodyBytes is the longest request, and the longest response of a backend.
	bodyBytes int64
	// headBytes is the longest request line with its headers, and the longest URL.
	headBytes int
	// frameBytes and messageBytes are those of WebSocket APIs, in either direction.
	frameBytes, messageBytes int
	// socketIdle and socketLifetime are how long a WebSocket connection lasts.
	socketIdle, socketLifetime time.Duration
	// timeout is the longest that integrations of any API may be given.
	timeout time.Duration
}

// limitSets are what --limits chooses from. Lifted limits still end somewhere: a
// stranger must not take the machine. Whatever a body's length, what is held of
// bodies in memory is bounded by --max-held-bodies, and a function's event and
// answer by Lambda's 6 MB.
var limitSets = map[string]limits{
	"aws": {},
	"lifted": {
		bodyBytes:      1 << 40,
		headBytes:      64 << 10,
		frameBytes:     1 << 20,
		messageBytes:   1 << 20,
		socketIdle:     24 * time.Hour,
		socketLifetime: 30 * 24 * time.Hour,
		timeout:        15 * time.Minute, // the longest of a function
	},
}

// liftFlags sets the flags that weren't given and that --limits has a word on.
func liftFlags(fs *pflag.FlagSet) error {
	name, err := fs.GetString("limits")
	if err != nil {
		return err
	}
	set := limitSets[name] // one that isn't known is refused later
	for flag, limit := range map[string]time.Duration{
		"websocket-idle-timeout": set.socketIdle, "websocket-lifetime": set.socketLifetime, "rest-max-timeout": set.timeout,
	} {
		if limit == 0 || fs.Changed(flag) {
			continue
		}
		if err := fs.Set(flag, limit.String()); err != nil {
			return err
		}
	}
	return nil
}

// leastHeld is the least that --max-held-bodies may be, in MiB: the longest
// request and the longest response of AWS.
const leastHeld = 2 * serve.MaxBodyBytes >> 20
