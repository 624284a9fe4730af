package iam

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/store"
)

// A Key is a user's access key as those who verify signatures need it.
type Key struct {
	ID, Secret string
	// Account, ARN and UserID are those of the user.
	Account, ARN, UserID string
	// Active is false for a key that was switched off.
	Active bool
}

// A Directory holds every access key in memory. Reading it takes no lock;
// Prepare and Load keep it true. The zero value isn't ready: see NewDirectory.
type Directory struct {
	keys atomic.Pointer[map[string]*Key]
	// uses holds a *use by the id of an access key or a role.
	uses sync.Map
}

// NewDirectory returns an empty directory.
func NewDirectory() *Directory {
	d := &Directory{}
	d.keys.Store(&map[string]*Key{})
	return d
}

// Key finds an access key by its id.
func (d *Directory) Key(id string) (*Key, bool) {
	k, ok := (*d.keys.Load())[id]
	return k, ok
}

// Load reads all keys; it is called once, before calls are answered.
func (d *Directory) Load(ctx context.Context, s Store) error {
	keys := map[string]*Key{}
	err := s.View(ctx, func(tx *store.Tx) error {
		for e, err := range accessKeys.Everywhere(tx) {
			if err != nil {
				return err
			}
			k, err := newKey(tx, e.Scope, e.Doc)
			if err != nil {
				return err
			}
			keys[k.ID] = k
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.keys.Store(&keys)
	return nil
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the directory follow.
func (d *Directory) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	// What changed, by key id; nil is gone.
	changed := map[string]*Key{}
	for _, c := range changes {
		switch c.Kind {
		case accessKeys.Name:
			err = d.reload(tx, c.Scope, c.ID[0], changed)
		case users.Name:
			err = d.reloadUser(tx, c, changed)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	return func() {
		keys := maps.Clone(*d.keys.Load())
		for id, k := range changed {
			if k == nil {
				delete(keys, id)
				d.uses.Delete(id)
				continue
			}
			keys[id] = k
		}
		d.keys.Store(&keys)
	}, nil
}

func (d *Directory) reload(tx *store.Tx, scope store.Scope, id string, changed map[string]*Key) error {
	doc, err := accessKeys.Get(tx, scope, id)
	if errors.Is(err, store.ErrNotFound) {
		changed[id] = nil
		return nil
	}
	if err != nil {
		return err
	}
	changed[id], err = newKey(tx, scope, doc)
	return err
}

// reloadUser follows a user whose ARN may have changed. A deleted user has no
// keys, and the keys of a renamed one change themselves.
func (d *Directory) reloadUser(tx *store.Tx, c store.Change, changed map[string]*Key) error {
	doc, err := users.Get(tx, c.Scope, c.ID...)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, id := range doc.AccessKeys {
		if err := d.reload(tx, c.Scope, id, changed); err != nil {
			return err
		}
	}
	return nil
}

func newKey(tx *store.Tx, scope store.Scope, doc *accessKeyDoc) (*Key, error) {
	u, err := users.Get(tx, scope, doc.User)
	if err != nil {
		return nil, err
	}
	return &Key{
		ID: *doc.Key.AccessKeyId, Secret: *doc.Key.SecretAccessKey, Active: *doc.Key.Status == active,
		Account: scope.Account, ARN: *u.User.Arn, UserID: *u.User.UserId,
	}, nil
}

// A use is when and for what a key or role was seen last.
type use struct {
	at              time.Time
	service, region string
}

// useGrain is how exact the time of the last use is; AWS's isn't exact either.
const useGrain = time.Minute

// Used notes that the access key or the role with the id was used. It costs
// next to nothing when it was noted less than a minute ago. Uses are forgotten
// when the gateway stops.
func (d *Directory) Used(id, service, region string, at time.Time) {
	if v, ok := d.uses.Load(id); ok && at.Sub(v.(*use).at) < useGrain {
		return
	}
	d.uses.Store(id, &use{at: at.UTC().Truncate(time.Second), service: service, region: region})
}

func (d *Directory) lastUse(id string) *use {
	v, ok := d.uses.Load(id)
	if !ok {
		return nil
	}
	return v.(*use)
}

// keyLastUsed is the answer about a key; one that wasn't used is N/A.
func (d *Directory) keyLastUsed(id string) *api.AccessKeyLastUsed {
	u := d.lastUse(id)
	if u == nil {
		return &api.AccessKeyLastUsed{ServiceName: new("N/A"), Region: new("N/A")}
	}
	return &api.AccessKeyLastUsed{ServiceName: &u.service, Region: &u.region, LastUsedDate: &u.at}
}

// roleLastUsed is the answer about a role; one that wasn't used is empty.
func (d *Directory) roleLastUsed(id string) *api.RoleLastUsed {
	u := d.lastUse(id)
	if u == nil {
		return &api.RoleLastUsed{}
	}
	return &api.RoleLastUsed{LastUsedDate: &u.at, Region: &u.region}
}
