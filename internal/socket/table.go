package socket

import (
	"hash/maphash"
	"sync"
)

// A Peer is one open connection, wherever it is.
type Peer interface {
	// Post sends a message: nil, ErrGone or ErrFull.
	Post(data []byte) error
	// Info tells what is known of it, or ErrGone.
	Info() (Info, error)
	// Close ends it with a code and a reason, or returns ErrGone.
	Close(code int, reason string) error
}

// A Directory is where nodes that share their connections meet: each tells
// which ones it has, and finds those of the others.
type Directory interface {
	// Opened and Closed tell of a connection of this process.
	Opened(c *Conn)
	Closed(c *Conn)
	// Find returns a connection of another process, nil if there is none.
	Find(apiID, stage, connectionID string) Peer
}

// alone is the directory of a process that shares nothing.
type alone struct{}

func (alone) Opened(*Conn)                     {}
func (alone) Closed(*Conn)                     {}
func (alone) Find(string, string, string) Peer { return nil }

// shards is how many locks the connections of a process are spread over.
const shards = 256

// A table finds the connections of this process by id.
type table struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu    sync.RWMutex
	conns map[string]*Conn
	_     [24]byte // a cache line each
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed()}
}

func (t *table) shard(id string) *shard {
	return &t.shards[maphash.String(t.seed, id)%shards]
}

func (t *table) add(c *Conn) {
	s := t.shard(c.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = map[string]*Conn{}
	}
	s.conns[c.id] = c
}

func (t *table) remove(c *Conn) {
	s := t.shard(c.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if delete(s.conns, c.id); len(s.conns) == 0 {
		s.conns = nil // a map keeps the room it once needed
	}
}

func (t *table) find(id string) *Conn {
	s := t.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[id]
}

func (t *table) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n += len(s.conns)
		s.mu.RUnlock()
	}
	return n
}

// each calls f for every connection, without a lock held.
func (t *table) each(f func(*Conn)) {
	var batch []*Conn
	for i := range t.shards {
		batch = t.batch(i, batch[:0])
		for _, c := range batch {
			f(c)
		}
	}
}

// batch appends the connections of one shard.
func (t *table) batch(i int, to []*Conn) []*Conn {
	s := &t.shards[i]
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, c := range s.conns {
		to = append(to, c)
	}
	return to
}
