package route53

import (
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// Options are what a Service works with.
type Options struct {
	// Store holds the zones. Its Prepare must call Directory.Prepare.
	Store *store.Store // required
	// Changed, if set, is called with the names of record sets that changed and of new
	// zones, as Route 53 shows them: somebody may wait for one.
	Changed func(names []string)
	// Random is where ids come from; nil means crypto/rand.
	Random io.Reader
}

// A Service is the API.
type Service struct {
	api.Unimplemented

	store   *store.Store
	changed func(names []string)
	random  io.Reader
}

var _ api.Operations = (*Service)(nil)

// New returns the service.
func New(o Options) *Service {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Changed == nil {
		o.Changed = func([]string) {}
	}
	return &Service{store: o.Store, changed: o.Changed, random: o.Random}
}

// A zoneDoc is keyed {zoneID}. Its Id has no prefix.
type zoneDoc struct {
	Zone        api.HostedZone
	NameServers []string
	VPCs        []api.VPC         `json:",omitzero"`
	Tags        map[string]string `json:",omitzero"`
	Created     time.Time
}

// A recordDoc is keyed {zoneID, reversed name, type, set identifier}. Its name is
// as Route 53 shows it.
type recordDoc struct{ api.ResourceRecordSet }

// A reference is keyed {callerReference} and names the zone made with it.
type reference struct{ ZoneID string }

// A changeDoc is keyed {changeID}. Ids of changes begin with their time.
type changeDoc struct{ api.ChangeInfo }

var (
	zones      = store.Kind[zoneDoc]{Name: "route53/zone", Version: 1}
	records    = store.Kind[recordDoc]{Name: "route53/record", Version: 1}
	references = store.Kind[reference]{Name: "route53/caller-reference", Version: 1}
	changes    = store.Kind[changeDoc]{Name: "route53/change", Version: 1}
)

// scopeOf is an account without a region.
func scopeOf(c *awswire.Call) store.Scope { return store.Scope{Account: c.Account} }

func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func invalid(message string) error { return api.NewInvalidInput(message) }

// bareID takes the prefix off an id, which some clients leave there.
func bareID(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

const idAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// newID returns characters as ids have them.
func (s *Service) newID(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", err
	}
	for i := range b {
		b[i] = idAlphabet[int(b[i])%len(idAlphabet)]
	}
	return string(b), nil
}

// zone reads a hosted zone.
func zone(tx *store.Tx, c *awswire.Call, id string) (*zoneDoc, error) {
	doc, err := zones.Get(tx, scopeOf(c), bareID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, api.NewNoSuchHostedZone("No hosted zone found with ID: " + bareID(id))
	}
	return doc, err
}

func (d *zoneDoc) private() bool { return d.Zone.Config != nil && value(d.Zone.Config.PrivateZone) }

// shown is a zone as answers have it.
func (d *zoneDoc) shown() *api.HostedZone {
	zone := d.Zone
	zone.Id = new("/hostedzone/" + *zone.Id)
	return &zone
}
