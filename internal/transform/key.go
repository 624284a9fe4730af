package transform

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/plan"
)

// An action is what a mapping does. The order is that in which they apply.
type action uint8

const (
	remove action = iota
	overwrite
	add // "append"
)

// A place is where a mapping does it.
type place uint8

const (
	inHeaders place = iota
	inQuerystring
	wholePath
	statusCode
)

// A mapping is one entry of a map of parameters, its key parsed.
type mapping struct {
	action action
	place  place
	// name is that of a header or a query parameter.
	name  string
	value string
}

// parseMapping parses an entry: "append:header.x" and its value. It reports
// false for a key that isn't one.
func parseMapping(key, value string) (mapping, bool) {
	m := mapping{value: value}
	verb, target, _ := strings.Cut(key, ":")
	switch verb {
	case "remove":
		m.action = remove
	case "overwrite":
		m.action = overwrite
	case "append":
		m.action = add
	default:
		return m, false
	}
	var found bool
	if m.name, found = strings.CutPrefix(target, "header."); found {
		m.place = inHeaders
		return m, isName(m.name, &inToken)
	}
	if m.name, found = strings.CutPrefix(target, "querystring."); found {
		m.place = inQuerystring
		return m, m.name != ""
	}
	switch target {
	case "path":
		m.place = wholePath
	case "statuscode":
		m.place = statusCode
	default:
		return m, false
	}
	return m, m.action == overwrite
}

// parseMappings parses a map of parameters and sorts it by action and key, the
// order in which mappings apply. kind is "Request" or "Response", places what mappings of it can
// name.
func parseMappings(kind string, parameters map[string]string, places ...place) ([]mapping, error) {
	var list []mapping
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		m, ok := parseMapping(key, parameters[key])
		if !ok || !slices.Contains(places, m.place) {
			return nil, errors.New("Invalid " + kind + " Actioned Parameter destination specified: " + key)
		}
		if m.place == inHeaders && isReserved(m.name) {
			return nil, errors.New("Operations on header " + strings.ToLower(m.name) + " are restricted")
		}
		if m.value == "" {
			return nil, invalidValue("")
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b mapping) int { return cmp.Compare(a.action, b.action) })
	return list, nil
}

// invalidValue refuses a mapping's value.
// UNVERIFIED: the words, which are those of REST APIs.
func invalidValue(value string) error {
	return errors.New("Invalid mapping expression specified: " + value)
}

// reserved are the headers that no mapping may name; a star stands for any end.
var reserved = [...]string{
	"access-control-*", "apigw-*", "authorization", "connection", "content-encoding", "content-length", "content-location",
	"forwarded", "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
	"upgrade", "x-amz-*", "x-amzn-*", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via",
}

// isReserved tells whether a header is kept from mappings, in any case.
func isReserved(name string) bool {
	for _, r := range reserved {
		prefix, open := strings.CutSuffix(r, "*")
		if plan.EqualFold(name, r) || open && len(name) >= len(prefix) && plan.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}
