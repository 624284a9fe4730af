package stagecache

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxBytes is what all clusters together may take by default.
const MaxBytes = 512 << 20

// Options are what Caches are made of.
type Options struct {
	// MaxBytes bounds the memory of all responses that are kept; nothing is kept
	// with 0.
	MaxBytes int64
	// Clock is what responses age by; nil is time.Now.
	Clock func() time.Time
}

// Caches own the clusters of all stages.
type Caches struct {
	clock func() time.Time
	limit int64
	used  atomic.Int64
	// recording is what responses take that are still being made. They have an
	// eighth of the room, beside what is kept.
	recording       atomic.Int64
	entries, evicts atomic.Int64

	mu  sync.Mutex
	all map[string]map[ID]*Cluster // by API
	// list has the same clusters, for those who need room; it is never written, and
	// nil until it is asked for.
	list atomic.Pointer[[]*Cluster]
	// gaveWay is the largest cluster that was found last.
	gaveWay atomic.Pointer[Cluster]
}

// An ID names a cluster. A stage that gets another one, of another size or after
// it had none, says so by Since.
type ID struct {
	APIID, Stage string
	// Since is the store's revision that made the cluster.
	Since int64
}

// New makes Caches without any clusters.
func New(o Options) *Caches {
	c := &Caches{clock: o.Clock, limit: o.MaxBytes, all: map[string]map[ID]*Cluster{}}
	if c.clock == nil {
		c.clock = time.Now
	}
	return c
}

// Cluster returns the cluster of an id, which keeps up to size bytes: the one that
// there is, or a new one.
func (c *Caches) Cluster(id ID, size int64) *Cluster {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.all[id.APIID]
	if there := of[id]; there != nil {
		return there
	}
	if of == nil {
		of = map[ID]*Cluster{}
		c.all[id.APIID] = of
	}
	made := newCluster(c, size)
	of[id] = made
	c.list.Store(nil)
	return made
}

// Retain ends the clusters of an API that aren't in live: their stages were
// deleted or have others now.
func (c *Caches) Retain(apiID string, live []*Cluster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.all[apiID]
	for id, cluster := range of {
		if slices.Contains(live, cluster) {
			continue
		}
		delete(of, id)
		cluster.end()
		c.list.Store(nil)
		c.gaveWay.CompareAndSwap(cluster, nil) // or it would be held for ever
	}
	if len(of) == 0 {
		delete(c.all, apiID)
	}
}

// Flush forgets the responses of a stage. Those that are on their way from an
// integration aren't kept.
func (c *Caches) Flush(apiID, stage string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, cluster := range c.all[apiID] {
		if id.Stage == stage {
			cluster.flush()
		}
	}
}

// listed are all clusters.
func (c *Caches) listed() []*Cluster {
	if list := c.list.Load(); list != nil {
		return *list
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*Cluster
	for _, of := range c.all {
		list = slices.AppendSeq(list, maps.Values(of))
	}
	c.list.Store(&list)
	return list
}

// Numbers are what caches hold.
type Numbers struct {
	// Bytes is the memory of the responses kept, Entries how many there are.
	Bytes, Entries int64
	// Evictions is how many have had to give way so far, before their time was up.
	Evictions int64
}

// Numbers returns what all clusters together hold.
func (c *Caches) Numbers() Numbers {
	return Numbers{Bytes: c.used.Load(), Entries: c.entries.Load(), Evictions: c.evicts.Load()}
}

// reserve makes room for n bytes in a cluster, or tells that there is none. It is
// taken before anything is put there, so that the bounds are never passed.
func (c *Caches) reserve(of *Cluster, n int64) bool {
	if n > of.limit || n > c.limit {
		return false
	}
	of.used.Add(n)
	c.used.Add(n)
	for of.used.Load() > of.limit {
		if !of.evict() {
			of.give(n)
			return false
		}
	}
	for c.used.Load() > c.limit {
		if !c.victim(of).evict() {
			of.give(n)
			return false
		}
	}
	return true
}

// candidates is how many clusters are looked at for one that gives way. The
// largest of all would take a look at all; the one found before is looked at again,
// so that it isn't missed for long.
const candidates = 8

// victim is the cluster that gives way to another one's response: the largest of a
// few, that one among them.
func (c *Caches) victim(of *Cluster) *Cluster {
	list := c.listed()
	largest, most := of, of.used.Load()
	look := func(v *Cluster) {
		if v == nil {
			return
		}
		if used := v.used.Load(); used > most {
			largest, most = v, used
		}
	}
	before := c.gaveWay.Load()
	look(before)
	first := 0
	if len(list) > candidates {
		first = rand.IntN(len(list))
	}
	for i := range min(candidates, len(list)) {
		look(list[(first+i)%len(list)])
	}
	if largest != before {
		c.gaveWay.Store(largest)
	}
	return largest
}

// record takes n bytes for a response that is being made, or tells that there are
// none.
func (c *Caches) record(n int64) bool {
	if c.recording.Add(n) > c.limit/8 {
		c.recording.Add(-n)
		return false
	}
	return true
}
