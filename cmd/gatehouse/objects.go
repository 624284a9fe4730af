package main

import (
	"crypto/x509"
	"time"

	"gatehouse/internal/awsendpoint"
	"gatehouse/internal/awswire/sigv4"
	"gatehouse/internal/s3object"
)

// objects is the S3 that the gateway itself reads truststores and the code of
// functions from: that of --s3-endpoint, else the one that integrations with S3 call;
// nil where there is none.
// roots are the authorities of https endpoints.
func (s *awsServices) objects(region string, roots *x509.CertPool) (*s3object.Store, error) {
	service := awsendpoint.ByPrefix("s3")
	endpoint, own := s.s3, s.s3 != ""
	if endpoint == "" {
		endpoint = s.endpoints.of(&service)
	}
	if endpoint == "" {
		return nil, nil
	}
	o := s3object.Options{Endpoint: endpoint, Region: service.Region(region), RootCAs: roots, Clock: s.clock}
	if endpoint == realAWS {
		o.Endpoint = "https://" + service.Host(region, "")
	}
	operator := s.operatorKeys(endpoint == realAWS)
	o.Keys = func(time.Time) (sigv4.Keys, error) { return operator(nil) }
	if own {
		o.Keys = func(time.Time) (sigv4.Keys, error) { return s.s3Keys, nil }
	}
	return s3object.New(o)
}
