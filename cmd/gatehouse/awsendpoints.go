package main

import (
	"fmt"
	"net/url"
	"strings"

	"gatehouse/internal/awsendpoint"
)

// realAWS stands for AWS's own endpoints in place of a URL.
const realAWS = "aws"

// awsEndpoints says where AWS's services are, by prefix; "" is for all that aren't
// named.
type awsEndpoints map[string]string

// awsEndpointVariable begins the variables by which AWS's SDKs are told of one
// service's endpoint. The one for all services isn't read: where this gateway
// runs it mostly names the gateway itself.
const (
	awsEndpointVariable     = "AWS_ENDPOINT_URL_"
	awsAllEndpointsVariable = "AWS_ENDPOINT_URL"
)

// awsEndpoints reads --aws-endpoint, and behind it what AWS's SDKs read.
func (c *config) awsEndpoints(environ []string) (awsEndpoints, error) {
	all := awsEndpoints{}
	for _, v := range environ {
		name, endpoint, _ := strings.Cut(v, "=")
		service, ok := strings.CutPrefix(name, awsEndpointVariable)
		if !ok || endpoint == "" {
			continue
		}
		// One of a service that there isn't is some other program's business.
		for _, prefix := range awsendpoint.Prefixes(service) {
			if err := checkEndpoint(endpoint); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all[prefix] = endpoint
		}
	}
	for _, text := range c.AWSEndpoint {
		service, endpoint, named := strings.Cut(text, "=")
		if !named || strings.Contains(service, "/") {
			service, endpoint = "", text
		}
		if err := checkEndpoint(endpoint); err != nil {
			return nil, fmt.Errorf("--aws-endpoint %s: %w", text, err)
		}
		prefixes := awsendpoint.Prefixes(service)
		switch {
		case service == "":
			prefixes = []string{""}
		case len(prefixes) == 0:
			return nil, fmt.Errorf("--aws-endpoint %s: there is no service %q; services are named as in AWS's command line, as in dynamodb", text, service)
		}
		for _, prefix := range prefixes {
			all[prefix] = endpoint
		}
	}
	return all, nil
}

func checkEndpoint(text string) error {
	if text == realAWS {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(text, "{}") {
		return fmt.Errorf("write an http or https URL, or %s for AWS itself", realAWS)
	}
	return nil
}

// variables tell AWS's SDKs in functions the same: own is this gateway, which has
// what is not elsewhere, and s3 the store of --s3-endpoint. AWS itself is left out: a
// function's keys are this gateway's.
func (e awsEndpoints) variables(own, s3 string) map[string]string {
	v := map[string]string{awsAllEndpointsVariable: own}
	set := func(prefix, endpoint string) {
		for _, name := range awsendpoint.Names(prefix) {
			v[awsEndpointVariable+strings.ToUpper(name)] = endpoint
		}
	}
	if others := e[""]; others != "" && others != realAWS {
		v[awsAllEndpointsVariable] = others
		for prefix := range ownServices {
			set(prefix, own)
		}
		set("execute-api", own) // @connections
	}
	if s3 != "" {
		set("s3", s3)
	}
	for prefix, endpoint := range e {
		if prefix != "" && endpoint != realAWS {
			set(prefix, endpoint)
		}
	}
	return v
}

// of returns the endpoint of a service, "" for none.
func (e awsEndpoints) of(s *awsendpoint.Service) string {
	for _, name := range [...]string{s.Prefix, s.SigningName(), ""} {
		if endpoint := e[name]; endpoint != "" {
			return endpoint
		}
	}
	return ""
}
