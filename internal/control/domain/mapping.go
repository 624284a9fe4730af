package domain

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/awswire"
	"gatehouse/internal/control/apiid"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// A Face is the service that a mapping was asked of; they word things differently
// and have different limits.
type Face uint8

// The faces.
const (
	V1 Face = iota + 1
	V2
)

const (
	mappingIDLength = 6
	maxKey          = 300
	// maxLeveled is how many mappings of a domain may have keys of several segments.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	maxLeveled = 200
)

// keyPattern is what a mapping's key may be: segments of letters, digits and a
// few others.
var keyPattern = regexp.MustCompile(`^[A-Za-z0-9$\-_.+!*'()]+(/[A-Za-z0-9$\-_.+!*'()]+)*$`)

// PutMapping stores a mapping of a domain, a new one where it has no id. Its key
// is "" for what no other one takes; a stage of "" is named by the next segment.
func (n *Names) PutMapping(tx *store.Tx, c *awswire.Call, face Face, d *definition.Domain, m *definition.DomainMapping) error {
	at, name := scope(c), Name(d)
	if value(m.ApiMappingKey) == "" {
		m.ApiMappingKey = new("")
	}
	if face == V2 {
		if err := checkManaged(d); err != nil {
			return err
		}
	}
	protocol, err := checkTarget(tx, at, face, m)
	if err != nil {
		return err
	}
	if err := checkKey(face, protocol, d, *m.ApiMappingKey); err != nil {
		return err
	}
	if err := n.checkCompany(tx, c, face, d, protocol, value(m.ApiMappingId)); err != nil {
		return err
	}
	if err := checkLevels(tx, at, name, protocol, m); err != nil {
		return err
	}
	var old *definition.DomainMapping
	taken := map[string]bool{}
	leveled := 0
	for e, err := range definition.DomainMappings.All(tx, at, name) {
		if err != nil {
			return err
		}
		id := e.ID[1]
		taken[id] = true
		if id != value(m.ApiMappingId) && strings.Contains(value(e.Doc.ApiMappingKey), "/") {
			leveled++
		}
		switch {
		case id == value(m.ApiMappingId):
			old = e.Doc
		case value(e.Doc.ApiMappingKey) == *m.ApiMappingKey && face == V1:
			return conflict("Base path already exists for this domain name")
		case value(e.Doc.ApiMappingKey) == *m.ApiMappingKey:
			return conflict("ApiMapping key already exists for this domain name")
		}
	}
	if leveled >= maxLeveled && strings.Contains(*m.ApiMappingKey, "/") {
		// UNVERIFIED: the words.
		return badRequest("A domain name can have at most %d API mappings with multiple levels", maxLeveled)
	}
	if m.ApiMappingId == nil {
		id, err := apiid.Free(n.rand, mappingIDLength, func(id string) (bool, error) { return taken[id], nil })
		if err != nil {
			return err
		}
		m.ApiMappingId = &id
	}
	if old != nil {
		if err := dropTarget(tx, at, value(old.ApiId), name, *m.ApiMappingId); err != nil {
			return err
		}
	}
	if err := putTarget(tx, at, *m.ApiId, value(m.Stage), name, *m.ApiMappingId); err != nil {
		return err
	}
	return definition.DomainMappings.Put(tx, at, m, name, *m.ApiMappingId)
}

// checkTarget refuses an API or a stage that isn't there.
func checkTarget(tx *store.Tx, s store.Scope, face Face, m *definition.DomainMapping) (Protocol, error) {
	apiID, stage := value(m.ApiId), value(m.Stage)
	protocol, err := protocolOf(tx, s, apiID)
	if err != nil {
		return none, err
	}
	if protocol == none {
		if face == V1 {
			return none, badRequest("Invalid REST API identifier specified")
		}
		// UNVERIFIED: the words, which are those about an API elsewhere.
		return none, notFound("Invalid API identifier specified " + s.Account + ":" + apiID)
	}
	if stage == "" && face == V1 {
		return protocol, nil
	}
	found, err := stageExists(tx, s, protocol, apiID, stage)
	if err != nil || found {
		return protocol, err
	}
	if face == V1 {
		return none, badRequest("Invalid stage identifier specified")
	}
	return none, notFound("Invalid stage identifier specified")
}

// checkKey refuses what can't be a mapping's key.
func checkKey(face Face, protocol Protocol, d *definition.Domain, key string) error {
	if key == "" {
		return nil
	}
	// UNVERIFIED: the words of these errors but those of API Gateway V1.
	if len(key) > maxKey {
		return badRequest("An API mapping key can have at most %d characters", maxKey)
	}
	if strings.Contains(key, "/") && face == V1 {
		return badRequest("API Gateway V1 doesn't support the slash character (/) in base path mappings. To create a multi-level base path mapping, use API Gateway V2.")
	}
	if !keyPattern.MatchString(key) {
		return badRequest("API mapping key should not start with or end with a '/' or have more than one consecutive '/', and may contain only letters, numbers and one of $-_.+!*'()/")
	}
	if strings.Contains(key, "/") && protocol == WebSocket {
		return badRequest("Multi-level API mapping keys are not supported for WebSocket APIs")
	}
	return nil
}

const mixed = "Mixing of REST APIs and HTTP APIs on the same domain name can only be accomplished through API Gateway's V2 DomainName interface. Currently, WebSocket APIs can only be attached to a domain name with other WebSocket APIs. This must also occur through API Gateway's V2 DomainName interface."

// checkCompany refuses APIs that can't share a domain, or can't have this one.
func (n *Names) checkCompany(tx *store.Tx, c *awswire.Call, face Face, d *definition.Domain, protocol Protocol, except string) error {
	others, err := protocolsOf(tx, scope(c), Name(d), except)
	if err != nil {
		return err
	}
	if face == V1 && (protocol != REST || slices.Contains(others, HTTP) || slices.Contains(others, WebSocket)) {
		return badRequest("%s", mixed)
	}
	for _, other := range others {
		if (other == WebSocket) != (protocol == WebSocket) {
			// UNVERIFIED: the words of this face.
			return badRequest("%s", mixed)
		}
	}
	if protocol != REST && IsEnhanced(value(d.SecurityPolicy)) {
		// UNVERIFIED: the words.
		return badRequest("The security policy %s is only supported for REST APIs.", *d.SecurityPolicy)
	}
	if usesRules(d) && (protocol == REST && slices.Contains(others, HTTP) || protocol == HTTP && slices.Contains(others, REST)) {
		// UNVERIFIED: the words.
		return badRequest("Routing rules aren't supported for a domain name that is mapped to both REST APIs and HTTP APIs.")
	}
	return nil
}

// checkLevels refuses an HTTP API beside a key of several segments that leads to a
// REST API with an enhanced security policy of its own, and such a key beside an HTTP
// API.
// UNVERIFIED: the words, and that the order doesn't matter.
func checkLevels(tx *store.Tx, s store.Scope, name string, protocol Protocol, m *definition.DomainMapping) error {
	if protocol == WebSocket {
		return nil
	}
	added, err := leveled(tx, s, m)
	if err != nil || !added && protocol == REST {
		return err
	}
	for e, err := range definition.DomainMappings.All(tx, s, name) {
		if err != nil {
			return err
		}
		if e.ID[1] == value(m.ApiMappingId) {
			continue
		}
		refused := false
		if protocol == HTTP {
			refused, err = leveled(tx, s, e.Doc)
		} else {
			var other Protocol
			other, err = protocolOf(tx, s, value(e.Doc.ApiId))
			refused = other == HTTP
		}
		if err != nil {
			return err
		}
		if refused {
			return badRequest("Multi-level API mapping keys for REST APIs with an enhanced security policy are not supported for a domain name that is mapped to HTTP APIs.")
		}
	}
	return nil
}

// leveled tells whether a key of several segments leads to a REST API with an enhanced
// security policy.
func leveled(tx *store.Tx, s store.Scope, m *definition.DomainMapping) (bool, error) {
	if !strings.Contains(value(m.ApiMappingKey), "/") {
		return false, nil
	}
	api, err := definition.RestAPIs.Get(tx, s, value(m.ApiId))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && IsEnhanced(value(api.SecurityPolicy)), err
}

// MappingByKey finds a mapping of a domain by its key.
func (n *Names) MappingByKey(tx *store.Tx, c *awswire.Call, d *definition.Domain, key string) (*definition.DomainMapping, error) {
	for e, err := range definition.DomainMappings.All(tx, scope(c), Name(d)) {
		if err != nil {
			return nil, err
		}
		if value(e.Doc.ApiMappingKey) == key {
			return e.Doc, nil
		}
	}
	return nil, notFound("Invalid base path mapping identifier specified")
}

// Mapping finds a mapping of a domain by its id.
func (n *Names) Mapping(tx *store.Tx, c *awswire.Call, d *definition.Domain, id string) (*definition.DomainMapping, error) {
	m, err := definition.DomainMappings.Get(tx, scope(c), Name(d), id)
	// UNVERIFIED: the words.
	return m, missing(err, "Invalid API mapping identifier specified")
}

// DeleteMapping removes a mapping.
func (n *Names) DeleteMapping(tx *store.Tx, c *awswire.Call, d *definition.Domain, m *definition.DomainMapping) error {
	at, name, id := scope(c), Name(d), *m.ApiMappingId
	if err := dropTarget(tx, at, value(m.ApiId), name, id); err != nil {
		return err
	}
	return definition.DomainMappings.Delete(tx, at, name, id)
}
