package conformance

import (
	"context"
	"maps"
	"strings"
)

// A Domain is a custom domain name with what it leads to.
type Domain struct {
	// Members are those of apigatewayv2's CreateDomainName, or of apigateway's
	// where V1 says so. Name, certificate and a regional endpoint needn't be there.
	Members Members `yaml:",inline"`
	// Name is a pattern in which {} is a label that nothing else has; it is
	// "api.{}.example.test" by default.
	Name string `yaml:"name"`
	V1   bool   `yaml:"v1"`
	// Certificate is the ARN of the one that it shows, one that is requested for it
	// by default, whose key's Algorithm is ACM's EC_prime256v1 by default.
	Certificate string `yaml:"certificate"`
	Algorithm   string `yaml:"algorithm"`
	// Mappings are members of CreateApiMapping by the key, BasePaths those of
	// CreateBasePathMapping by the base path.
	Mappings  map[string]Members `yaml:"mappings"`
	BasePaths map[string]Members `yaml:"basePaths"`
	// Rules are members of CreateRoutingRule.
	Rules []Members `yaml:"rules"`
	// Below are further domains in the place of the name's first label, each with
	// mappings alone.
	Below map[string]Domain `yaml:"below"`
}

// A madeDomain is a domain that has been made.
type madeDomain struct {
	name, parent, certificate string
	// mappings are ids by the key, rules ids in their order.
	mappings map[string]string
}

// value is the name, what follows its first label, its certificate's ARN, or the
// id of mappings.KEY.
func (d *madeDomain) value(attribute string) (string, bool) {
	switch attribute {
	case "":
		return d.name, true
	case "parent":
		return d.parent, true
	case "certificate":
		return d.certificate, true
	}
	key, ok := strings.CutPrefix(attribute, "mappings.")
	id, known := d.mappings[key]
	return id, ok && known
}

// makeDomain makes a domain with a certificate of its own.
func (s *scene) makeDomain(name string) (*madeDomain, error) {
	ctx := context.Background()
	spec := s.setup.Domains[name]
	d := &madeDomain{mappings: map[string]string{}}
	var err error
	if d.name, err = expand(strings.Replace(or(spec.Name, "api.{}.example.test"), "{}", s.world.unique(), 1), s.lookup); err != nil {
		return nil, err
	}
	_, d.parent, _ = strings.Cut(d.name, ".")
	if d.certificate, err = s.domainCertificate(ctx, spec, d.parent); err != nil {
		return nil, err
	}
	if err := s.putDomain(ctx, d, d.name, spec); err != nil {
		return nil, err
	}
	for _, label := range sortedKeys(spec.Below) {
		if err := s.putDomain(ctx, d, label+"."+d.parent, spec.Below[label]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// isEdge tells whether members of CreateDomainName are of an edge-optimized one.
func isEdge(with Members) bool {
	endpoint, _ := with["endpointConfiguration"].(map[string]any)
	types, _ := endpoint["types"].([]any)
	return len(types) == 1 && types[0] == "EDGE"
}

// domainCertificate is the ARN of what a domain shows.
func (s *scene) domainCertificate(ctx context.Context, spec Domain, parent string) (string, error) {
	if spec.Certificate != "" {
		return expand(spec.Certificate, s.lookup)
	}
	var made struct{ CertificateARN string }
	err := s.world.make(ctx, "acm:RequestCertificate", Members{
		"DomainName": parent, "SubjectAlternativeNames": []string{"*." + parent}, "KeyAlgorithm": or(spec.Algorithm, "EC_prime256v1"), "ValidationMethod": "DNS",
	}, &made)
	if err == nil {
		s.world.later("acm:DeleteCertificate", Members{"CertificateArn": made.CertificateARN})
	}
	return made.CertificateARN, err
}

func (s *scene) putDomain(ctx context.Context, d *madeDomain, name string, spec Domain) error {
	with, err := expandMembers(spec.Members, s.lookup)
	if err != nil {
		return err
	}
	all, call := Members{"domainName": name}, "CreateDomainName"
	if spec.V1 {
		call = "apigateway:CreateDomainName"
		all["regionalCertificateArn"], all["endpointConfiguration"] = d.certificate, Members{"types": []string{"REGIONAL"}}
		if isEdge(with) {
			delete(all, "regionalCertificateArn")
			all["certificateArn"] = d.certificate
		}
	} else {
		all["domainNameConfigurations"] = []Members{{"certificateArn": d.certificate, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}}
	}
	maps.Copy(all, with)
	if err := s.world.make(ctx, call, all, nil); err != nil {
		return err
	}
	make := func(call string, with, own Members, out any) error {
		with, err := expandMembers(with, s.lookup)
		if err != nil {
			return err
		}
		maps.Copy(with, own)
		return s.world.make(ctx, call, with, out)
	}
	for _, key := range sortedKeys(spec.Mappings) {
		var made struct{ APIMappingID string }
		expanded, err := expand(key, s.lookup)
		if err != nil {
			return err
		}
		if err := make("CreateApiMapping", spec.Mappings[key], Members{"domainName": name, "apiMappingKey": expanded}, &made); err != nil {
			return err
		}
		if name == d.name {
			d.mappings[key] = made.APIMappingID
		}
	}
	for _, path := range sortedKeys(spec.BasePaths) {
		if err := make("apigateway:CreateBasePathMapping", spec.BasePaths[path], Members{"domainName": name, "basePath": path}, nil); err != nil {
			return err
		}
	}
	for _, rule := range spec.Rules {
		if err := make("CreateRoutingRule", rule, Members{"domainName": name}, nil); err != nil {
			return err
		}
	}
	// After what it leads to was made: things are removed in the opposite order.
	s.world.later("DeleteDomainName", Members{"domainName": name})
	return nil
}
