package acmeissuer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

const (
	// recordPrefix is below which an authority looks for a name's TXT record
	// (RFC 8555, 8.4).
	recordPrefix = "_acme-challenge."
	// maxHops bounds the CNAMEs that lead to where the record is.
	maxHops = 8
	// placesTimeout is how long the world's DNS may be asked about an order's
	// names.
	placesTimeout = 15 * time.Second
)

// Records are DNS records that the gateway answers, with the names of TXT
// records that it may be asked for. Names end in a dot.
type Records interface {
	// Follow tells where a question for a name ends: at one that is answered here,
	// or at one that only others know.
	Follow(name string) (end string, here bool)
	// Put answers a TXT record, until Remove takes it away.
	Put(name, value string)
	Remove(name, value string)
}

// places are where the records of names are answered, by the name without its
// star. A name that has none isn't there. A wildcard that has none can't be
// proven.
func (i *Issuer) places(ctx context.Context, names []string) (map[string]string, error) {
	places := map[string]string{}
	if i.options.Records != nil {
		// A resolver that is down holds up an order once, not with each name.
		asking, cancel := context.WithTimeout(ctx, placesTimeout)
		defer cancel()
		for _, name := range names {
			base := strings.TrimPrefix(name, "*.")
			if _, known := places[base]; known {
				continue
			}
			place, err := i.placeOf(asking, base)
			if place != "" {
				places[base] = place
				continue
			}
			if base != name {
				return nil, noPlace(name, base, err)
			}
		}
	}
	for _, name := range names {
		if base, wild := strings.CutPrefix(name, "*."); wild && places[base] == "" {
			return nil, fmt.Errorf("%s: %w, which this gateway answers only with a listener of DNS queries (--dns)", name, ErrWildcard)
		}
	}
	return places, ctx.Err()
}

// noPlace says what to do for a name with a star.
func noPlace(name, base string, lookup error) error {
	record := recordPrefix + base
	err := fmt.Errorf("%s: %w, and a question for %s doesn't end in a public hosted zone of this gateway: make one for %s and delegate it to the listener of DNS queries, "+
		"or give %s a CNAME to a name in a zone that is", name, ErrWildcard, record, base, record)
	if lookup != nil {
		return fmt.Errorf("%w (%w)", err, lookup)
	}
	return err
}

// placeOf follows the name of a record to where it is answered here; "" if it
// isn't.
func (i *Issuer) placeOf(ctx context.Context, name string) (string, error) {
	at := recordPrefix + name + "."
	for range maxHops {
		end, here := i.options.Records.Follow(at)
		if here {
			return end, nil
		}
		if i.options.LookupCNAME == nil {
			return "", nil
		}
		next, err := i.options.LookupCNAME(ctx, end)
		if next == "" {
			return "", err
		}
		at = next
	}
	return "", fmt.Errorf("%d CNAMEs lead nowhere", maxHops)
}

// failures counts how often names couldn't be proven in each way. What proves a
// name is used again: success changes nothing.
type failures struct {
	mu    sync.Mutex
	count map[attempt]int
}

// An attempt is a name that is to be proven in a way.
type attempt struct{ name, way string }

// fewest is the way that failed least often for a name, the first of several. A
// way that is possible only now, as the name's zone came late, is so the next.
func (f *failures) fewest(name string, offered []acme.Challenge) acme.Challenge {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.MinFunc(offered, func(a, b acme.Challenge) int {
		return f.count[attempt{name, a.Type}] - f.count[attempt{name, b.Type}]
	})
}

func (f *failures) add(name, way string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[attempt]int{}
	}
	f.count[attempt{name, way}]++
}
