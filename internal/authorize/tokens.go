package authorize

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"gatehouse/internal/authorize/oidc"
	"gatehouse/internal/plan"
)

// The bounds of what Tokens remembers.
const (
	tokenBuckets = 1 << 13
	// tokenWays is how many tokens whose hashes share a bucket are remembered.
	tokenWays = 8
	maxTokens = tokenBuckets * tokenWays
	// maxTokenMemory is about how many bytes all of them may take.
	maxTokenMemory = 64 << 20
	// sweptByPut is how many places each new token looks through for expired ones.
	sweptByPut = 16
)

// Tokens remembers the tokens that were verified, until they expire or their key
// is gone: a token that comes again costs a hash and a comparison. It outlives
// plans and is shared by all authorizers. Only tokens that were good are in it,
// so that it can't be filled with what somebody made up.
//
// Reading takes no lock. A token is found by a hash with a secret seed and
// compared in whole, so that no token passes for another one.
type Tokens struct {
	seed  maphash.Seed
	table atomic.Pointer[[maxTokens]atomic.Pointer[remembered]]

	mu     sync.Mutex // of who writes
	memory int
	hand   int
}

// NewTokens returns an empty Tokens. It takes memory when the first token comes.
func NewTokens() *Tokens { return &Tokens{seed: maphash.MakeSeed()} }

// rules is what a token was held against, in text: the same token can be good
// for one authorizer and not for another.
type rules = unique.Handle[string]

// A remembered token is one that was good.
type remembered struct {
	text  string
	rules rules
	key   *oidc.Key
	// expires is in Unix nanoseconds.
	expires int64
	// scopes are those of the token.
	scopes []string
	// plain is what it says where no scopes are asked for, scoped where they are.
	plain  *plan.Authorization
	scoped atomic.Pointer[[]*plan.Authorization]
	size   int
}

// hash is where a token is to be found.
func (t *Tokens) hash(by rules, text string) uint64 {
	return maphash.String(t.seed, text) ^ maphash.Comparable(t.seed, by)
}

// find returns a token that was good and still is, nil for none.
func (t *Tokens) find(by rules, text string, now time.Time) *remembered {
	table := t.table.Load()
	if table == nil {
		return nil
	}
	bucket := t.hash(by, text) % tokenBuckets * tokenWays
	for i := range table[bucket : bucket+tokenWays] {
		r := table[bucket+uint64(i)].Load()
		if r == nil || len(r.text) != len(text) || r.rules != by || r.text != text {
			continue
		}
		if !r.good(now) {
			return nil
		}
		return r
	}
	return nil
}

func (r *remembered) good(now time.Time) bool {
	return now.UnixNano() < r.expires && r.key.Usable(now)
}

// put remembers a token, in place of one that expires earlier if need be.
func (t *Tokens) put(r *remembered, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	table := t.table.Load()
	if table == nil {
		table = &[maxTokens]atomic.Pointer[remembered]{}
		t.table.Store(table)
	}
	bucket := int(t.hash(r.rules, r.text) % tokenBuckets * tokenWays)
	place, rank := bucket, int64(0)
	for i := bucket; i < bucket+tokenWays; i++ {
		other := table[i].Load()
		if other == nil || !other.good(now) || other.rules == r.rules && other.text == r.text {
			place = i
			break
		}
		if rank == 0 || other.expires < rank {
			place, rank = i, other.expires
		}
	}
	t.drop(&table[place])
	t.sweep(table, now, r.size)
	table[place].Store(r)
	t.memory += r.size
}

// sweep drops tokens that aren't good any more, and others until there is room
// for size bytes.
func (t *Tokens) sweep(table *[maxTokens]atomic.Pointer[remembered], now time.Time, size int) {
	for n := 0; n < sweptByPut || t.memory > 0 && t.memory+size > maxTokenMemory; n++ {
		t.hand = (t.hand + 1) % maxTokens
		place := &table[t.hand]
		if r := place.Load(); r != nil && (n >= sweptByPut || !r.good(now)) {
			t.drop(place)
		}
	}
}

func (t *Tokens) drop(place *atomic.Pointer[remembered]) {
	if old := place.Swap(nil); old != nil {
		t.memory -= old.size
	}
}

// maxScoped is how many lists of scopes a token is remembered with.
const maxScoped = 8

// with returns what the token says where one of the scopes is asked for; nil if
// it has none of them.
func (r *remembered) with(wanted []string) *plan.Authorization {
	known := r.scoped.Load()
	if known != nil {
		for _, a := range *known {
			if r.grants(a.Scopes, wanted) {
				return a
			}
		}
	}
	var granted []string
	for _, scope := range wanted {
		if slices.Contains(r.scopes, scope) {
			granted = append(granted, scope)
		}
	}
	if granted == nil {
		return nil
	}
	a := *r.plain
	a.Scopes = granted
	if known == nil {
		r.scoped.CompareAndSwap(nil, &[]*plan.Authorization{&a})
	} else if len(*known) < maxScoped {
		next := append(slices.Clip(*known), &a)
		r.scoped.CompareAndSwap(known, &next)
	}
	return &a
}

// grants tells whether granted is what the token has of the wanted scopes.
func (r *remembered) grants(granted, wanted []string) bool {
	n := 0
	for _, scope := range wanted {
		if n < len(granted) && granted[n] == scope {
			n++
		} else if slices.Contains(r.scopes, scope) {
			return false
		}
	}
	return n == len(granted)
}

// newRemembered makes what is remembered of a verified token. The text is a view
// of a request's.
func newRemembered(by rules, text string, key *oidc.Key, expires time.Time, t *token, values []plan.AuthorizerValue) *remembered {
	r := &remembered{
		text: strings.Clone(text), rules: by, key: key, expires: expires.UnixNano(), scopes: t.claims.scopes(),
		plain: &plan.Authorization{Claims: values, Token: true},
	}
	const overhead = 1 << 10
	r.size = len(text)*2 + overhead
	for _, v := range values {
		r.size += len(v.Name) + len(v.Text) + len(v.JSON) + 64
	}
	return r
}
