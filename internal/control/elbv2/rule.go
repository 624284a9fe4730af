package elbv2

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	api "gatehouse/internal/awsapi/elbv2"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const (
	maxPriority = 50_000
	// maxRules is how many rules a listener has, by AWS's default quota.
	maxRules = 100
)

// CreateRule adds a rule to a listener of an application load balancer.
func (s *Service) CreateRule(c *awswire.Call, in *api.CreateRuleInput) (*api.CreateRuleOutput, error) {
	if len(in.Transforms) > 0 {
		return nil, notYet("CreateRule with transforms")
	}
	if *in.Priority < 1 || *in.Priority > maxPriority {
		return nil, invalid(fmt.Sprintf("Priority '%d' must be between 1 and %d", *in.Priority, maxPriority))
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := &ruleDoc{Order: *in.Priority}
	doc.Priority, doc.IsDefault = new(strconv.Itoa(int(*in.Priority))), new(false)
	if doc.Tags, err = newTags(in.Tags); err != nil {
		return nil, err
	}
	err = s.store.Update(c, func(tx *store.Tx) error {
		l, key, err := listener(tx, c, *in.ListenerArn)
		if err != nil {
			return err
		}
		if !isApplication(*l.Protocol) {
			return api.NewUnsupportedProtocolException("Rules are unsupported for Network Load Balancer listeners")
		}
		doc.RuleArn = new(strings.Replace(*in.ListenerArn, ":listener/", ":listener-rule/", 1) + "/" + id)
		all, err := every(tx, scopeOf(c), rules, key...)
		if err != nil {
			return err
		}
		if len(all) >= maxRules {
			return api.NewTooManyRulesException(fmt.Sprintf("The maximum number of rules per listener is '%d'", maxRules))
		}
		if slices.ContainsFunc(all, func(o *ruleDoc) bool { return o.Order == doc.Order }) {
			return api.NewPriorityInUseException("Priority '" + *doc.Priority + "' is currently in use")
		}
		if doc.Conditions, err = newConditions(in.Conditions); err != nil {
			return err
		}
		if doc.Actions, err = newActions(tx, c, true, in.Actions); err != nil {
			return err
		}
		return rules.Put(tx, scopeOf(c), doc, append(key, id)...)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateRuleOutput{Rules: []api.Rule{doc.view()}}, nil
}

func (d *ruleDoc) view() api.Rule {
	view := d.Rule
	if view.Transforms == nil {
		view.Transforms = []api.RuleTransform{}
	}
	return view
}

// defaultRule is the rule that stands for a listener's default actions.
func (d *listenerDoc) defaultRule() api.Rule {
	return api.Rule{
		RuleArn:  new(strings.Replace(*d.ListenerArn, ":listener/", ":listener-rule/", 1) + "/" + d.DefaultRule),
		Priority: new("default"), IsDefault: new(true), Conditions: []api.RuleCondition{}, Actions: d.DefaultActions, Transforms: []api.RuleTransform{},
	}
}

// DescribeRules shows the rules of a listener in their order, or some by ARN.
func (s *Service) DescribeRules(c *awswire.Call, in *api.DescribeRulesInput) (*api.DescribeRulesOutput, error) {
	out := &api.DescribeRulesOutput{Rules: []api.Rule{}}
	err := s.store.View(c, func(tx *store.Tx) error {
		if in.ListenerArn == nil && len(in.RuleArns) == 0 {
			return invalid("You must specify either listener rule ARNs or a listener ARN")
		}
		for _, name := range in.RuleArns {
			if is, err := isDefaultRule(tx, c, name); err != nil {
				return err
			} else if is {
				p := parts(c, name, "listener-rule", 6)
				l, err := listeners.Get(tx, scopeOf(c), p[2], p[4])
				if err != nil {
					return err
				}
				out.Rules = append(out.Rules, l.defaultRule())
				continue
			}
			doc, _, err := rule(tx, c, name)
			if err != nil {
				return err
			}
			out.Rules = append(out.Rules, doc.view())
		}
		if in.ListenerArn == nil {
			return nil
		}
		l, key, err := listener(tx, c, *in.ListenerArn)
		if err != nil {
			return err
		}
		all, err := every(tx, scopeOf(c), rules, key...)
		slices.SortFunc(all, func(a, b *ruleDoc) int { return cmp.Compare(a.Order, b.Order) })
		for _, doc := range all {
			out.Rules = append(out.Rules, doc.view())
		}
		out.Rules = append(out.Rules, l.defaultRule())
		return err
	})
	if err != nil {
		return nil, err
	}
	// The place of a rule is its priority; "default" comes last.
	place := func(r *api.Rule) string {
		n, err := strconv.Atoi(*r.Priority)
		if err != nil {
			return *r.Priority
		}
		return fmt.Sprintf("%05d", n)
	}
	if in.ListenerArn == nil {
		return out, nil
	}
	out.Rules, out.NextMarker, err = page(out.Rules, place, in.Marker, in.PageSize)
	return out, err
}

// changeRule edits a rule that isn't a default one.
func changeRule(tx *store.Tx, c *awswire.Call, name string, edit func(d *ruleDoc, key []string) error) (*ruleDoc, error) {
	if is, err := isDefaultRule(tx, c, name); err != nil {
		return nil, err
	} else if is {
		return nil, api.NewOperationNotPermittedException("Default rule '" + name + "' cannot be modified")
	}
	doc, key, err := rule(tx, c, name)
	if err != nil {
		return nil, err
	}
	if err := edit(doc, key); err != nil {
		return nil, err
	}
	return doc, rules.Put(tx, scopeOf(c), doc, key...)
}

// ModifyRule sets the conditions and the actions that are present.
func (s *Service) ModifyRule(c *awswire.Call, in *api.ModifyRuleInput) (*api.ModifyRuleOutput, error) {
	if len(in.Transforms) > 0 {
		return nil, notYet("ModifyRule with transforms")
	}
	var doc *ruleDoc
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		doc, err = changeRule(tx, c, *in.RuleArn, func(d *ruleDoc, _ []string) (err error) {
			if in.Conditions != nil {
				if d.Conditions, err = newConditions(in.Conditions); err != nil {
					return err
				}
			}
			if in.Actions != nil {
				d.Actions, err = newActions(tx, c, true, in.Actions)
			}
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.ModifyRuleOutput{Rules: []api.Rule{doc.view()}}, nil
}

// SetRulePriorities moves rules of one listener, all at once.
func (s *Service) SetRulePriorities(c *awswire.Call, in *api.SetRulePrioritiesInput) (*api.SetRulePrioritiesOutput, error) {
	out := &api.SetRulePrioritiesOutput{}
	err := s.store.Update(c, func(tx *store.Tx) error {
		var at []string
		for _, p := range in.RulePriorities {
			n := value(p.Priority)
			if n < 1 || n > maxPriority {
				return invalid(fmt.Sprintf("Priority '%d' must be between 1 and %d", n, maxPriority))
			}
			doc, err := changeRule(tx, c, value(p.RuleArn), func(d *ruleDoc, key []string) error {
				if at != nil && !slices.Equal(at, key[:2]) {
					return invalid("All rules must belong to the same listener")
				}
				at = key[:2]
				d.Order, d.Priority = n, new(strconv.Itoa(int(n)))
				return nil
			})
			if err != nil {
				return err
			}
			out.Rules = append(out.Rules, doc.view())
		}
		all, err := every(tx, scopeOf(c), rules, at...)
		if err != nil {
			return err
		}
		taken := map[int32]bool{}
		for _, d := range all {
			if taken[d.Order] {
				return api.NewPriorityInUseException("Priority '" + *d.Priority + "' is currently in use")
			}
			taken[d.Order] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteRule deletes a rule that isn't a default one.
func (s *Service) DeleteRule(c *awswire.Call, in *api.DeleteRuleInput) (*api.DeleteRuleOutput, error) {
	err := s.store.Update(c, func(tx *store.Tx) error {
		if is, err := isDefaultRule(tx, c, *in.RuleArn); err != nil {
			return err
		} else if is {
			return api.NewOperationNotPermittedException("Default rule '" + *in.RuleArn + "' cannot be deleted")
		}
		_, key, err := rule(tx, c, *in.RuleArn)
		if err != nil {
			return err
		}
		return rules.Delete(tx, scopeOf(c), key...)
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteRuleOutput{}, nil
}
