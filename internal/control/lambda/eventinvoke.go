package lambda

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/lambda"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const destinationPattern = `$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)`

// PutFunctionEventInvokeConfig sets how asynchronous events are retried.
// Destinations are stored and shown; nothing is sent to them yet.
func (s *Service) PutFunctionEventInvokeConfig(c *awswire.Call, in *api.PutFunctionEventInvokeConfigRequest) (*api.FunctionEventInvokeConfig, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if in.MaximumRetryAttempts == nil && in.MaximumEventAgeInSeconds == nil && in.DestinationConfig == nil {
		return nil, badParameter("You must specify at least one of error handling or destination setting.")
	}
	if err := checkEventInvoke(in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig); err != nil {
		return nil, err
	}
	return update(s, c, func(tx *store.Tx) (*api.FunctionEventInvokeConfig, error) {
		if err := checkInvokeTarget(tx, t); err != nil {
			return nil, err
		}
		if err := checkDestinations(tx, t, in.DestinationConfig); err != nil {
			return nil, err
		}
		doc := &api.FunctionEventInvokeConfig{
			FunctionArn: new(t.qualified(t.policyID())), LastModified: new(c.Time.UTC().Truncate(time.Millisecond)),
			MaximumRetryAttempts: in.MaximumRetryAttempts, MaximumEventAgeInSeconds: in.MaximumEventAgeInSeconds,
			DestinationConfig: destinations(in.DestinationConfig),
		}
		return doc, invokes.Put(tx, t.scope, doc, t.name, t.policyID())
	})
}

// UpdateFunctionEventInvokeConfig changes what is present in the request.
func (s *Service) UpdateFunctionEventInvokeConfig(c *awswire.Call, in *api.UpdateFunctionEventInvokeConfigRequest) (*api.FunctionEventInvokeConfig, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if in.MaximumRetryAttempts == nil && in.MaximumEventAgeInSeconds == nil && in.DestinationConfig == nil {
		return nil, badParameter("You must specify at least one of error handling or destination setting.")
	}
	if err := checkEventInvoke(in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig); err != nil {
		return nil, err
	}
	return update(s, c, func(tx *store.Tx) (*api.FunctionEventInvokeConfig, error) {
		if err := checkInvokeTarget(tx, t); err != nil {
			return nil, err
		}
		doc, err := invokes.Get(tx, t.scope, t.name, t.policyID())
		if notFound(err) {
			return nil, noEventInvokeConfig(t)
		}
		if err != nil {
			return nil, err
		}
		set(&doc.MaximumRetryAttempts, in.MaximumRetryAttempts)
		set(&doc.MaximumEventAgeInSeconds, in.MaximumEventAgeInSeconds)
		if in.DestinationConfig != nil {
			if err := checkDestinations(tx, t, in.DestinationConfig); err != nil {
				return nil, err
			}
			doc.DestinationConfig = destinations(in.DestinationConfig)
		}
		doc.LastModified = new(c.Time.UTC().Truncate(time.Millisecond))
		return doc, invokes.Put(tx, t.scope, doc, t.name, t.policyID())
	})
}

// GetFunctionEventInvokeConfig shows the settings of one qualifier.
func (s *Service) GetFunctionEventInvokeConfig(c *awswire.Call, in *api.GetFunctionEventInvokeConfigRequest) (*api.FunctionEventInvokeConfig, error) {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.FunctionEventInvokeConfig, error) {
		doc, err := invokes.Get(tx, t.scope, t.name, t.policyID())
		if notFound(err) {
			return nil, noEventInvokeConfig(t)
		}
		return doc, err
	})
}

// DeleteFunctionEventInvokeConfig returns a qualifier to the defaults.
func (s *Service) DeleteFunctionEventInvokeConfig(c *awswire.Call, in *api.DeleteFunctionEventInvokeConfigRequest) error {
	t, err := resolve(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return err
	}
	return s.store.Update(c, func(tx *store.Tx) error {
		err := invokes.Delete(tx, t.scope, t.name, t.policyID())
		if notFound(err) {
			return noEventInvokeConfig(t)
		}
		return err
	})
}

// ListFunctionEventInvokeConfigs lists the settings of all qualifiers.
func (s *Service) ListFunctionEventInvokeConfigs(c *awswire.Call, in *api.ListFunctionEventInvokeConfigsRequest) (*api.ListFunctionEventInvokeConfigsResponse, error) {
	t, err := resolveLatest(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	limit, err := maxItems(in.MaxItems, defaultPageSize)
	if err != nil {
		return nil, err
	}
	return view(s, c, func(tx *store.Tx) (*api.ListFunctionEventInvokeConfigsResponse, error) {
		if err := checkInvokeTarget(tx, t); err != nil {
			return nil, err
		}
		page, next, err := invokes.ListToken(tx, t.scope, str(in.Marker), limit, t.name)
		if err != nil {
			return nil, pageError(err)
		}
		out := &api.ListFunctionEventInvokeConfigsResponse{FunctionEventInvokeConfigs: []api.FunctionEventInvokeConfig{}, NextMarker: present(next)}
		for _, e := range page {
			out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *e.Doc)
		}
		return out, nil
	})
}

func noEventInvokeConfig(t target) *awswire.Error {
	return api.NewResourceNotFoundException(fmt.Sprintf("The function %s doesn't have an EventInvokeConfig", t.qualified(t.policyID())))
}

// checkInvokeTarget finds that there is no such function, version or alias.
func checkInvokeTarget(tx *store.Tx, t target) error {
	var exists bool
	var err error
	switch n, isVersion := parseVersion(t.qualifier); {
	case t.qualifier == "" || t.qualifier == latest:
		exists, err = functions.Exists(tx, t.scope, t.name)
	case isVersion:
		exists, err = versions.Exists(tx, t.scope, t.name, versionID(n))
	default:
		exists, err = aliases.Exists(tx, t.scope, t.name, t.qualifier)
	}
	if err == nil && !exists {
		err = api.NewResourceNotFoundException("The function doesn't exist.")
	}
	return err
}

func checkEventInvoke(retries, age *int32, d *api.DestinationConfig) error {
	var problems []string
	between := func(v *int32, member string, low, high int32) {
		switch {
		case v == nil:
		case *v < low:
			problems = append(problems, fmt.Sprintf("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", *v, member, low))
		case *v > high:
			problems = append(problems, fmt.Sprintf("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *v, member, high))
		}
	}
	between(retries, "maximumRetryAttempts", 0, 2)
	between(age, "maximumEventAgeInSeconds", 60, 21600)
	success, failure := destinationARNs(d)
	for _, one := range [...][2]string{{success, "onSuccess"}, {failure, "onFailure"}} {
		if one[0] != "" && !isDestination(one[0]) {
			problems = append(problems, badPattern(one[0], "destinationConfig."+one[1]+".destination", destinationPattern))
		}
	}
	if len(problems) > 0 {
		return invalid(problems...)
	}
	return nil
}

func isDestination(s string) bool {
	if topic, ok := strings.CutPrefix(s, "kafka://"); ok {
		return topic != "" && len(topic) < 250 && topic[0] != '.'
	}
	a, err := arn.Parse(s)
	return err == nil && isName(a.Service, false) && !strings.Contains(a.Service, "_") &&
		(a.Region == "" || isRegion(a.Region)) && (a.Account == "" || isAccount(a.Account))
}

// checkDestinations finds destinations that can't be.
func checkDestinations(tx *store.Tx, t target, d *api.DestinationConfig) error {
	success, failure := destinationARNs(d)
	for _, to := range [...]string{success, failure} {
		if to == "" || strings.HasPrefix(to, "kafka://") {
			continue
		}
		a, err := arn.Parse(to)
		if err != nil {
			return invalid(badPattern(to, "destinationConfig", destinationPattern))
		}
		switch a.Service {
		case "lambda":
			n, ok := ParseName(to)
			if !ok {
				return badParameter("The destination ARN %s is invalid.", to)
			}
			if n.Function == t.name {
				return badParameter("You can't specify the function as a destination for itself.")
			}
			exists, err := functions.Exists(tx, t.scope, n.Function)
			if err != nil {
				return err
			}
			if !exists {
				return badParameter("The destination ARN %s is invalid.", to)
			}
		case "sqs", "sns", "events", "s3":
		default:
			return badParameter("The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is invalid.",
				shownDestination("OnSuccess", success), shownDestination("OnFailure", failure))
		}
	}
	return nil
}

func shownDestination(kind, to string) string {
	if to == "" {
		return "null"
	}
	return kind + "(destination=" + to + ")"
}

func destinationARNs(d *api.DestinationConfig) (success, failure string) {
	if d == nil {
		return "", ""
	}
	if d.OnSuccess != nil {
		success = str(d.OnSuccess.Destination)
	}
	if d.OnFailure != nil {
		failure = str(d.OnFailure.Destination)
	}
	return success, failure
}

// destinations is d as AWS shows it: both sides, empty where nothing is set.
func destinations(d *api.DestinationConfig) *api.DestinationConfig {
	success, failure := destinationARNs(d)
	return &api.DestinationConfig{
		OnSuccess: &api.OnSuccess{Destination: present(success)},
		OnFailure: &api.OnFailure{Destination: present(failure)},
	}
}
