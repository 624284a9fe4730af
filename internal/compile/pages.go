package compile

import (
	"errors"
	"fmt"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/definition"
	"gatehouse/internal/plan"
	"gatehouse/internal/store"
)

// The custom domains of user pools stand in the plan beside those of APIs, so that a
// name is looked up once and goes before a star, and so that hands are shaken for
// them. What is behind them isn't the plan's.

// loadPages adds the custom domains of all user pools to a plan.
func (c *Compiler) loadPages(tx *store.Tx, next *plan.Plan) (*plan.Plan, error) {
	for e, err := range definition.UserPoolDomains.Everywhere(tx) {
		if err != nil {
			return nil, fmt.Errorf("compile: load: %w", err)
		}
		if e.ID[1] == "" {
			next = c.withPages(next, e.ID[0], e.Doc)
		}
	}
	return next, nil
}

// preparePages returns a plan in which the custom domain of a user pool is as the
// transaction leaves it.
func (c *Compiler) preparePages(tx *store.Tx, next *plan.Plan, name string) (*plan.Plan, error) {
	doc, err := definition.UserPoolDomains.Get(tx, store.Scope{}, name, "")
	if errors.Is(err, store.ErrNotFound) {
		if d, ok := next.Domain(name); ok && d.Pages {
			next = next.WithoutDomain(name)
		}
		return next, nil
	}
	if err != nil {
		return nil, fmt.Errorf("compile: domain %s of a user pool: %w", name, err)
	}
	return c.withPages(next, name, doc), nil
}

// withPages adds the custom domain of a user pool to a plan, unless an API or the
// gateway itself is called by its name: operations refuse that, so this is for what
// an older release let pass and for a configuration that was changed.
func (c *Compiler) withPages(next *plan.Plan, name string, doc *definition.UserPoolDomain) *plan.Plan {
	reason := ""
	if d, ok := next.Domain(name); ok && !d.Pages {
		reason = "a custom domain name of an API has this name"
	} else if c.parts.ReservedHost != nil && c.parts.ReservedHost(name) {
		reason = "the gateway itself is called by this name"
	}
	pool := value(doc.Domain.UserPoolId)
	if reason != "" {
		c.log.Error("the domain of a user pool serves nothing", "domain", name, "pool", pool, "reason", reason)
		return next
	}
	d := &plan.Domain{Name: name, Pages: true}
	if config := doc.Domain.CustomDomainConfig; config != nil && value(config.CertificateArn) != "" && c.parts.TLS != nil {
		shakes := DomainTLS{
			Scope: store.Scope{Account: doc.Account, Region: doc.Region}, Name: name, Pages: true,
			CertificateARN: *config.CertificateArn, SecurityPolicy: pagesPolicy(value(config.SecurityPolicy)),
		}
		var err error
		if d.TLS, _, err = c.parts.TLS(shakes); err != nil {
			c.log.Error("the domain of a user pool has the gateway's own certificate", "domain", name, "pool", pool, "reason", err.Error())
		}
	}
	return next.WithDomain(d)
}

// pagesPolicy is the security policy of API Gateway's that takes what one of the
// three of user pools' domains does. Those are CloudFront's TLSv1, TLSv1.2_2021 and
// TLSv1.3_2025.
// UNVERIFIED: which one a domain has that names none.
func pagesPolicy(policy string) string {
	switch policy {
	case cognitoidp.SecurityPolicyTypeTLSV1:
		return apigateway.SecurityPolicyTLS10
	case cognitoidp.SecurityPolicyTypeTLSV122021:
		return apigateway.SecurityPolicySecurityPolicyTls12Pfs2025Edge
	case cognitoidp.SecurityPolicyTypeTLSV132025:
		return apigateway.SecurityPolicySecurityPolicyTls132025Edge
	default:
		return apigateway.SecurityPolicyTLS12
	}
}
