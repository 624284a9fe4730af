package elbv2

import (
	"net/netip"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/balance"
)

// maxConditionValues is how many values all conditions of a rule have.
const maxConditionValues = 5

// newConditions checks the conditions of a rule. Values that stand in the older
// place are shown in both.
func newConditions(conditions []api.RuleCondition) ([]api.RuleCondition, error) {
	if len(conditions) == 0 {
		return nil, invalid("A condition must be specified")
	}
	all := make([]api.RuleCondition, 0, len(conditions))
	n := 0
	for _, c := range conditions {
		if len(c.RegexValues) > 0 || c.HostHeaderConfig != nil && len(c.HostHeaderConfig.RegexValues) > 0 ||
			c.PathPatternConfig != nil && len(c.PathPatternConfig.RegexValues) > 0 || c.HttpHeaderConfig != nil && len(c.HttpHeaderConfig.RegexValues) > 0 {
			return nil, notYet("conditions with regexValues")
		}
		switch value(c.Field) {
		case "host-header":
			if c.HostHeaderConfig == nil {
				c.HostHeaderConfig = &api.HostHeaderConditionConfig{Values: c.Values}
			}
			c.Values = c.HostHeaderConfig.Values
		case "path-pattern":
			if c.PathPatternConfig == nil {
				c.PathPatternConfig = &api.PathPatternConditionConfig{Values: c.Values}
			}
			c.Values = c.PathPatternConfig.Values
		}
		b, ok := conditionOf(&c)
		if !ok {
			return nil, invalid("Condition field '" + value(c.Field) + "' must be one of '[path-pattern, host-header, http-request-method, http-header, query-string, source-ip]' and have a valid configuration") // UNVERIFIED wording
		}
		n += len(b.Patterns) + len(b.Pairs) + len(b.Networks)
		for _, p := range b.Patterns {
			if len(p) > 128 {
				return nil, invalid("Condition value '" + p + "' cannot be longer than 128 characters") // UNVERIFIED wording
			}
		}
		all = append(all, c)
	}
	if n > maxConditionValues {
		return nil, invalid("A rule can only have '5' condition values")
	}
	return all, nil
}

// conditionOf is a condition as package balance has it.
func conditionOf(c *api.RuleCondition) (balance.Condition, bool) {
	b := balance.Condition{}
	switch value(c.Field) {
	case "host-header":
		b.Field, b.Patterns = balance.Host, c.HostHeaderConfig.Values
	case "path-pattern":
		b.Field, b.Patterns = balance.Path, c.PathPatternConfig.Values
	case "http-request-method":
		if c.HttpRequestMethodConfig != nil {
			b.Field, b.Patterns = balance.Method, c.HttpRequestMethodConfig.Values
		}
	case "http-header":
		if c.HttpHeaderConfig != nil {
			b.Field, b.Name, b.Patterns = balance.Header, value(c.HttpHeaderConfig.HttpHeaderName), c.HttpHeaderConfig.Values
		}
	case "query-string":
		b.Field = balance.Query
		if c.QueryStringConfig != nil {
			for _, p := range c.QueryStringConfig.Values {
				b.Pairs = append(b.Pairs, balance.Pair{Key: value(p.Key), Value: value(p.Value)})
			}
		}
	case "source-ip":
		b.Field = balance.SourceIP
		if c.SourceIpConfig != nil {
			for _, v := range c.SourceIpConfig.Values {
				network, err := netip.ParsePrefix(v)
				if err != nil {
					return b, false
				}
				b.Networks = append(b.Networks, network.Masked())
			}
		}
	}
	return b, len(b.Patterns)+len(b.Pairs)+len(b.Networks) > 0
}
