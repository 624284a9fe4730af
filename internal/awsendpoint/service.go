package awsendpoint

import "strings"

// A Protocol is how the actions of a service are named to it.
type Protocol uint8

// The protocols. REST services have paths in place of names.
const (
	REST Protocol = iota
	JSON
	Query
)

// A Service is how one of AWS's services is called.
type Service struct {
	// Prefix begins the service's host names, as in "states": that is also how
	// URIs of integrations name it.
	Prefix   string
	Protocol Protocol
	// Version is that of the API, which the query protocol sends.
	Version string

	names        []string
	signing      string // "" for the prefix
	target, json string
	host, region string // of a service with one endpoint for all regions
	hostPrefix   string // where it isn't the prefix
	unlisted     bool
}

// further are services that integrations name and AWS's models don't.
var further = [...]Service{
	{Prefix: "appsync-api", signing: "appsync"},
	{Prefix: "execute-api"},
	{Prefix: "iotdata", hostPrefix: "iot"},
	// Where executions are waited for.
	{Prefix: "sync-states", signing: "states", Protocol: JSON, target: "AWSStepFunctions", json: "1.0"},
}

// ByPrefix returns the service of a prefix, as in "states" or
// "runtime.sagemaker". Of one that isn't known is assumed what most have.
func ByPrefix(prefix string) Service {
	for i := range services {
		if services[i].Prefix == prefix {
			return services[i]
		}
	}
	for i := range further {
		if further[i].Prefix == prefix {
			return further[i]
		}
	}
	return Service{Prefix: prefix, Protocol: Query, unlisted: true}
}

// Prefixes are those of the services that a name stands for: a prefix, or the
// service's id or name as AWS's SDKs and command line have it, as in
// "stepfunctions" or "SFN". Dashes, spaces and underscores are the same.
func Prefixes(name string) []string {
	name = plainName(name)
	var found []string
	for i := range services {
		s := &services[i]
		is := plainName(s.Prefix) == name
		for _, n := range s.names {
			is = is || plainName(n) == name
		}
		if is {
			found = append(found, s.Prefix)
		}
	}
	return found
}

// Names are what the services of a prefix are called by AWS's SDKs and command line,
// as in "cloudwatch_logs" and "logs": lower case, with underscores.
func Names(prefix string) []string {
	var names []string
	for i := range services {
		if s := &services[i]; s.Prefix == prefix {
			for _, name := range s.names {
				names = append(names, plainName(name))
			}
		}
	}
	return names
}

func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "_", " ", "_").Replace(name))
}

// SigningName is the name of the service in credential scopes.
func (s *Service) SigningName() string {
	if s.signing != "" {
		return s.signing
	}
	return s.Prefix
}

// Region is the region of the scope of a call in a region: the same, but of a
// service that is in one region for all.
func (s *Service) Region(region string) string {
	if s.region != "" && strings.HasSuffix(suffix(region), "amazonaws.com") && !strings.HasPrefix(region, "us-gov-") {
		return s.region
	}
	return region
}

// Target is the X-Amz-Target of an action of a service that speaks JSON.
func (s *Service) Target(action string) string { return s.target + "." + action }

// ContentType is that of the requests with which actions are called, "" for a
// service that has none.
func (s *Service) ContentType() string {
	switch s.Protocol {
	case JSON:
		return "application/x-amz-json-" + s.json
	case Query:
		return "application/x-www-form-urlencoded"
	}
	return ""
}

// Host is where AWS has the service in a region. subdomain stands before it, ""
// for none. Nothing but letters, digits, dashes and dots may be in either.
func (s *Service) Host(region, subdomain string) string {
	if subdomain != "" {
		subdomain += "."
	}
	if s.host != "" && s.Region(region) == s.region {
		return subdomain + s.host
	}
	prefix := s.Prefix
	if s.hostPrefix != "" {
		prefix = s.hostPrefix
	}
	return subdomain + prefix + "." + region + "." + suffix(region)
}

// suffix is what the host names of a region end in.
func suffix(region string) string {
	for _, p := range [...]struct{ region, suffix string }{
		{"cn-", "amazonaws.com.cn"},
		{"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"},
		{"us-isof-", "csp.hci.ic.gov"},
		{"eu-isoe-", "cloud.adc-e.uk"},
		{"eusc-", "amazonaws.eu"},
	} {
		if strings.HasPrefix(region, p.region) {
			return p.suffix
		}
	}
	return "amazonaws.com"
}
