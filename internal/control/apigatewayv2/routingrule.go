package apigatewayv2

import (
	"strconv"

	"gatehouse/internal/awsapi/apigatewayv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/domain"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// CreateRoutingRule adds a routing rule to a domain. It counts where the domain's
// routing mode has rules.
func (s *Service) CreateRoutingRule(c *awswire.Call, in *apigatewayv2.CreateRoutingRuleRequest) (*apigatewayv2.CreateRoutingRuleResponse, error) {
	r := &definition.RoutingRule{}
	r.Actions, r.Conditions, r.Priority = in.Actions, in.Conditions, in.Priority
	err := s.inAnyDomain(c, value(in.DomainName), in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		return s.domains.PutRule(tx, c, d, r)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.CreateRoutingRuleResponse](r.RoutingRule), nil
}

// GetRoutingRule returns one rule.
func (s *Service) GetRoutingRule(c *awswire.Call, in *apigatewayv2.GetRoutingRuleRequest) (*apigatewayv2.GetRoutingRuleResponse, error) {
	var r *definition.RoutingRule
	err := s.viewDomain(c, value(in.DomainName), in.DomainNameId, func(tx *store.Tx, d *definition.Domain) (err error) {
		r, err = s.domains.Rule(tx, c, d, value(in.RoutingRuleId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.GetRoutingRuleResponse](r.RoutingRule), nil
}

// ListRoutingRules lists the rules of a domain.
// UNVERIFIED: their order, which is that of their ids.
func (s *Service) ListRoutingRules(c *awswire.Call, in *apigatewayv2.ListRoutingRulesRequest) (*apigatewayv2.ListRoutingRulesResponse, error) {
	out := &apigatewayv2.ListRoutingRulesResponse{}
	page := pageRequest{token: in.NextToken}
	if in.MaxResults != nil {
		page.max = new(strconv.Itoa(int(*in.MaxResults)))
	}
	err := s.viewDomain(c, value(in.DomainName), in.DomainNameId, func(tx *store.Tx, d *definition.Domain) (err error) {
		out.RoutingRules, out.NextToken, err = list(tx, scope(c), definition.RoutingRules, page,
			func(e store.Entry[definition.RoutingRule]) apigatewayv2.RoutingRule { return e.Doc.RoutingRule }, domain.Name(d))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PutRoutingRule replaces a rule.
func (s *Service) PutRoutingRule(c *awswire.Call, in *apigatewayv2.PutRoutingRuleRequest) (*apigatewayv2.PutRoutingRuleResponse, error) {
	r := &definition.RoutingRule{}
	r.Actions, r.Conditions, r.Priority, r.RoutingRuleId = in.Actions, in.Conditions, in.Priority, in.RoutingRuleId
	err := s.inAnyDomain(c, value(in.DomainName), in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		if _, err := s.domains.Rule(tx, c, d, value(in.RoutingRuleId)); err != nil {
			return err
		}
		return s.domains.PutRule(tx, c, d, r)
	})
	if err != nil {
		return nil, err
	}
	return answer[apigatewayv2.PutRoutingRuleResponse](r.RoutingRule), nil
}

// DeleteRoutingRule removes a rule.
func (s *Service) DeleteRoutingRule(c *awswire.Call, in *apigatewayv2.DeleteRoutingRuleRequest) error {
	return s.inAnyDomain(c, value(in.DomainName), in.DomainNameId, func(tx *store.Tx, d *definition.Domain) error {
		r, err := s.domains.Rule(tx, c, d, value(in.RoutingRuleId))
		if err != nil {
			return err
		}
		return s.domains.DeleteRule(tx, c, d, r)
	})
}
