package userpool

import (
	"sync"
	"time"
)

// Wrong guesses are free five times in a row. After that each one locks the name
// for a second, two, four and so on, up to a quarter of an hour. That is what
// Cognito says of itself.
const (
	freeGuesses = 5
	maxLock     = 15 * time.Minute
)

// maxNames bounds how many names are remembered. A guess is forgotten a
// quarter of an hour after it could be made again.
const maxNames = 1 << 16

// Attempts counts wrong guesses by name, of users that are there and of those
// that aren't. It is kept in memory only. The zero value is ready.
type Attempts struct {
	mu    sync.Mutex
	names map[string]*guesses
}

type guesses struct {
	wrong  int
	locked time.Time // no guess counts until then
	forget time.Time
}

// Locked tells whether no guess at the name counts now, not even a right one.
func (a *Attempts) Locked(name string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.names[name]
	return g != nil && now.Before(g.locked)
}

// Failed counts a wrong guess, and tells whether the name was locked already: by
// guesses that ran beside this one, whose guesser must not learn that it was
// wrong, since a right one is refused then, too.
func (a *Attempts) Failed(name string, now time.Time) (locked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.names[name]
	locked = g != nil && now.Before(g.locked)
	if g == nil || now.After(g.forget) {
		a.makeRoom(now)
		g = &guesses{}
		if a.names == nil {
			a.names = map[string]*guesses{}
		}
		a.names[name] = g
	}
	g.wrong++
	if over := g.wrong - freeGuesses; over >= 0 {
		lock := maxLock
		if over < 10 {
			lock = min(maxLock, time.Second<<over)
		}
		g.locked = now.Add(lock)
	}
	g.forget = now.Add(2 * maxLock)
	return locked
}

// makeRoom forgets what may be forgotten once the table is full; if that is
// nothing, any entry that isn't locked goes, then any.
func (a *Attempts) makeRoom(now time.Time) {
	if len(a.names) < maxNames {
		return
	}
	for name, g := range a.names {
		if now.After(g.forget) {
			delete(a.names, name)
		}
	}
	for _, spare := range [...]bool{true, false} {
		for name, g := range a.names {
			if len(a.names) < maxNames-maxNames/16 {
				return
			}
			if !spare || !now.Before(g.locked) {
				delete(a.names, name)
			}
		}
	}
}

// Passed forgets the guesses at a name: it was the right one.
func (a *Attempts) Passed(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, name)
}
