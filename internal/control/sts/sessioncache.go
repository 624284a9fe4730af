package sts

import (
	"sync"
	"sync/atomic"
	"time"
)

// Sessions that were opened are kept, so that the next request of one costs a
// look into a map: this many shards of this many.
const (
	cacheShards  = 64
	cacheEntries = 64
)

// A cache keeps opened sessions by access key id. Reading takes no lock and
// allocates nothing; a shard is copied when a session is added to it.
type cache struct {
	shards [cacheShards]shard
}

type shard struct {
	adding   sync.Mutex
	sessions atomic.Pointer[map[string]*Session]
}

func (c *cache) shard(accessKeyID string) *shard {
	// The end of an id is random.
	n := 0
	for i := max(0, len(accessKeyID)-4); i < len(accessKeyID); i++ {
		n = n*31 + int(accessKeyID[i])
	}
	return &c.shards[n%cacheShards]
}

// get returns the session of a key that came with a token, nil if it isn't kept.
func (c *cache) get(accessKeyID, token string) *Session {
	kept := c.shard(accessKeyID).sessions.Load()
	if kept == nil {
		return nil
	}
	if v := (*kept)[accessKeyID]; v != nil && sameText(v.token, token) {
		return v
	}
	return nil
}

// sameText compares two secrets in a time that tells their lengths only.
func sameText(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	var differ byte
	for i := range len(a) {
		differ |= a[i] ^ b[i]
	}
	return differ == 0
}

// add keeps a session. A full shard forgets what has expired, or everything.
func (c *cache) add(v *Session, now time.Time) {
	s := c.shard(v.AccessKeyID)
	s.adding.Lock()
	defer s.adding.Unlock()
	grown := map[string]*Session{}
	if kept := s.sessions.Load(); kept != nil {
		full := len(*kept) >= cacheEntries
		for id, o := range *kept {
			if !full || now.Before(o.Expires) {
				grown[id] = o
			}
		}
		if len(grown) >= cacheEntries {
			clear(grown)
		}
	}
	grown[v.AccessKeyID] = v
	s.sessions.Store(&grown)
}
