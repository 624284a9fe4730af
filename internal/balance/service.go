package balance

import (
	"sync"
	"time"
)

// A Filter chooses instances of a service by their attributes; the empty one takes
// all of them.
type Filter struct {
	// Text tells filters apart.
	Text string
	// Attributes are what an instance must have.
	Attributes map[string]string
}

// A Service is the instances of a Cloud Map service. It is never written to.
type Service struct {
	instances []serviceInstance
	listeners sync.Map // Filter.Text → *Listener
}

type serviceInstance struct {
	target     *Target
	attributes map[string]string
}

// Listener returns one that sends requests to the instances that a filter
// chooses. Where none of these is healthy, every one is taken for it, as
// DiscoverInstances does when asked for healthy instances or else all.
func (s *Service) Listener(f Filter) *Listener {
	if l, ok := s.listeners.Load(f.Text); ok {
		return l.(*Listener)
	}
	g := newGroup(f.Text)
	for _, i := range s.instances {
		if matches(i.attributes, f.Attributes) {
			g.targets = append(g.targets, i.target)
		}
	}
	g.publish()
	l, _ := s.listeners.LoadOrStore(f.Text, &Listener{fallback: outcome{Outcome: Outcome{Group: g}}})
	return l.(*Listener)
}

func matches(have, want map[string]string) bool {
	for name, value := range want {
		if got, ok := have[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// newService makes a service whose instances keep the targets they had in old, nil
// for none.
func newService(c *ServiceConfig, old *Service) *Service {
	known := map[string]*Target{}
	if old != nil {
		for _, i := range old.instances {
			known[i.target.key] = i.target
		}
	}
	s := &Service{}
	for _, i := range c.Instances {
		t := known[i.ID]
		health := Health{State: Healthy}
		if i.Unhealthy {
			health.State = Unhealthy
		}
		if t == nil || t.Addr != i.Addr || t.health != health {
			// A target of a published service is never written to.
			t = &Target{Addr: i.Addr, key: i.ID, due: time.Time{}, health: health}
		} else {
			delete(known, i.ID)
		}
		s.instances = append(s.instances, serviceInstance{t, i.Attributes})
	}
	for _, t := range known {
		t.gone.Store(true)
	}
	return s
}
