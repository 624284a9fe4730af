package awsendpoint

import (
	"errors"
	"fmt"
	"strings"
)

// A URI is that of an integration with a service, its stage variables replaced.
type URI struct {
	Region string
	// Subdomain stands before the service's host, as the bucket in
	// "mine.s3:path/key"; "" for none.
	Subdomain string
	Service   Service
	// Action is the action that the URI names, "" if it has a path. Path is the
	// path with its query otherwise, without the slash it begins with; after an
	// action it is the parameters behind it, as in "&Version=2010-12-01". Both may
	// have {variables}.
	Action, Path string
}

// ParseURI reads arn:aws:apigateway:{region}:{subdomain.service}:path/{path} or
// :action/{action}.
func ParseURI(text string) (URI, error) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "apigateway" {
		return URI{}, fmt.Errorf("%q isn't the URI of an AWS service", text)
	}
	u := URI{Region: parts[3]}
	if !ValidRegion(u.Region) {
		return URI{}, fmt.Errorf("%q has no region", text)
	}
	if !validHost(parts[4]) {
		return URI{}, fmt.Errorf("%q has no service", text)
	}
	u.Subdomain, u.Service = splitService(parts[4])
	switch rest := parts[5]; {
	case strings.HasPrefix(rest, "path/"):
		u.Path = strings.TrimLeft(rest[len("path/"):], "/")
	case strings.HasPrefix(rest, "action/"):
		u.Action = rest[len("action/"):]
		if i := strings.IndexAny(u.Action, "&?"); i >= 0 {
			u.Action, u.Path = u.Action[:i], u.Action[i+1:]
		}
		if u.Action == "" {
			return URI{}, fmt.Errorf("%q names no action", text)
		}
		if u.Service.Protocol == REST {
			return URI{}, errors.New("the actions of " + u.Service.Prefix + " have paths, no names")
		}
	default:
		return URI{}, fmt.Errorf("%q has neither a path nor an action", text)
	}
	return u, nil
}

// splitService finds the service in what a URI has in its place: the longest
// prefix that is known, what stands before it being the subdomain. Of what isn't
// known the last part is taken for the service.
func splitService(text string) (subdomain string, s Service) {
	for rest := text; ; {
		if s = ByPrefix(rest); !s.unlisted {
			return strings.TrimSuffix(text[:len(text)-len(rest)], "."), s
		}
		_, after, found := strings.Cut(rest, ".")
		if !found {
			return strings.TrimSuffix(text[:len(text)-len(rest)], "."), s
		}
		rest = after
	}
}

// ValidRegion tells whether text may be a region: letters, digits and dashes.
func ValidRegion(text string) bool { return validLabel(text) }

// IsAWSRegion tells whether text has the form of AWS's own regions, as in
// "us-gov-west-1": one that a client chooses mustn't be another service's name
// below amazonaws.com, as "s3" is, where anybody can have a bucket.
func IsAWSRegion(text string) bool {
	parts := strings.Split(text, "-")
	if len(parts) < 3 || !ValidRegion(text) {
		return false
	}
	for i, part := range parts {
		if part == "" {
			return false
		}
		digits := i == len(parts)-1
		for _, c := range []byte(part) {
			if digits != ('0' <= c && c <= '9') {
				return false
			}
		}
	}
	return true
}

// validHost tells whether text is labels with dots between.
func validHost(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if !validLabel(label) {
			return false
		}
	}
	return true
}

func validLabel(text string) bool {
	if text == "" || len(text) > 63 || text[0] == '-' || text[len(text)-1] == '-' {
		return false
	}
	for _, c := range []byte(text) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
