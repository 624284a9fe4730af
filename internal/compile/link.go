package compile

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"gatehouse/internal/arn"
	"gatehouse/internal/balance"
	"gatehouse/internal/definition"
	"gatehouse/internal/integrate"
	"gatehouse/internal/store"
)

// Links know the VPC links that there are. Reading them takes no lock; Prepare and
// Load keep them true. They aren't part of the plan: a deployment names a link that
// may come and go.
type Links struct {
	all atomic.Pointer[map[linkKey]string]
}

// linkKey is a link, whose value is the ARN of its load balancer or "".
type linkKey struct {
	store.Scope
	id string
}

// NewLinks returns Links without any.
func NewLinks() *Links {
	l := &Links{}
	l.all.Store(&map[linkKey]string{})
	return l
}

// Find returns what tells, at any time, whether a link is there and which load
// balancer it leads to, "" where its integrations say that.
func (l *Links) Find(s store.Scope, id string) func() (loadBalancer string, open bool) {
	key := linkKey{s, id}
	return func() (string, bool) {
		target, ok := (*l.all.Load())[key]
		return target, ok
	}
}

// Load reads all links; it is called once, before there are requests.
func (l *Links) Load(tx *store.Tx) error {
	all := map[linkKey]string{}
	for e, err := range definition.VPCLinks.Everywhere(tx) {
		if err != nil {
			return err
		}
		all[linkKey{e.Scope, e.ID[0]}] = ""
	}
	for e, err := range definition.RestVPCLinks.Everywhere(tx) {
		if err != nil {
			return err
		}
		all[linkKey{e.Scope, e.ID[0]}] = targetOf(e.Doc)
	}
	l.all.Store(&all)
	return nil
}

func targetOf(link *definition.RestVPCLink) string {
	if len(link.TargetArns) == 0 {
		return ""
	}
	return link.TargetArns[0]
}

// Prepare is called by the store with every transaction's changes before it
// commits; publish makes the links follow.
func (l *Links) Prepare(tx *store.Tx, changes []store.Change) (publish func(), err error) {
	var next map[linkKey]string
	for _, c := range changes {
		if c.Kind != definition.VPCLinks.Name && c.Kind != definition.RestVPCLinks.Name {
			continue
		}
		if next == nil {
			next = maps.Clone(*l.all.Load())
		}
		key := linkKey{c.Scope, c.ID[0]}
		target := ""
		if c.Kind == definition.VPCLinks.Name {
			_, err = definition.VPCLinks.Get(tx, c.Scope, key.id)
		} else {
			var link *definition.RestVPCLink
			if link, err = definition.RestVPCLinks.Get(tx, c.Scope, key.id); err == nil {
				target = targetOf(link)
			}
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			delete(next, key)
		case err != nil:
			return nil, err
		default:
			next[key] = target
		}
	}
	if next == nil {
		return nil, nil
	}
	return func() { l.all.Store(&next) }, nil
}

// privateTarget reads what the integration of an HTTP API has as its URI behind a
// VPC link: the ARN of a listener, or of a Cloud Map service with a filter.
func privateTarget(uri string) (*integrate.Private, error) {
	name, query, filtered := strings.Cut(uri, "?")
	a, err := arn.Parse(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no ARN", uri)
	}
	switch {
	case a.Service == "elasticloadbalancing" && strings.HasPrefix(a.Resource, "listener/") && !filtered:
		return &integrate.Private{Listener: name}, nil
	case a.Service == "servicediscovery" && strings.HasPrefix(a.Resource, "service/"):
		p := &integrate.Private{Service: name}
		if p.Filter, err = filterOf(query); err != nil {
			return nil, err
		}
		return p, nil
	}
	return nil, fmt.Errorf("%s is neither a listener nor a Cloud Map service", name)
}

// owns tells whether an ARN is of an account and region.
func owns(s store.Scope, name string) bool {
	a, err := arn.Parse(name)
	return err == nil && a.Account == s.Account && a.Region == s.Region
}

// filterOf reads the attributes that instances of a service must have. Its text is
// the same for the same ones.
func filterOf(query string) (balance.Filter, error) {
	values, err := url.ParseQuery(query)
	if err != nil || len(values) == 0 {
		return balance.Filter{}, err
	}
	f := balance.Filter{Attributes: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f.Attributes[name] = values.Get(name)
	}
	f.Text = "?" + values.Encode()
	return f, nil
}
