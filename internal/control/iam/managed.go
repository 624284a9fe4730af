package iam

import (
	"errors"
	"strings"

	"gatehouse/internal/arn"
	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/store"
)

// parsePolicyARN takes the ARN of a managed policy apart.
func parsePolicyARN(text string) (arn.ARN, error) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") || a.Name() == "" {
		return arn.ARN{}, invalid("Invalid ARN:  Could not be parsed!")
	}
	return a, nil
}

// policyName and policyPath read a policy's name and path out of its ARN.
func policyName(text string) string { return text[strings.LastIndexByte(text, '/')+1:] }

func policyPath(text string) string {
	_, resource, _ := strings.Cut(text, ":policy")
	return resource[:strings.LastIndexByte(resource, '/')+1]
}

// managed returns the policy with the ARN, be it the account's or AWS's own,
// or store.ErrNotFound.
func (s *Service) managed(tx *store.Tx, scope store.Scope, text string) (*policyDoc, error) {
	a, err := parsePolicyARN(text)
	if err != nil {
		return nil, err
	}
	if a.Account == "aws" {
		return s.awsManaged(tx, scope, a)
	}
	if a.Account != scope.Account {
		return nil, store.ErrNotFound
	}
	doc, err := policies.Get(tx, scope, strings.ToLower(a.Name()))
	if err != nil {
		return nil, err
	}
	if *doc.Policy.Arn != text {
		return nil, store.ErrNotFound
	}
	return doc, nil
}

// awsManaged returns a policy that AWS owns, with this account's use of it.
func (s *Service) awsManaged(tx *store.Tx, scope store.Scope, a arn.ARN) (*policyDoc, error) {
	doc := s.aws.get(a)
	usage, err := awsUsages.Get(tx, scope, a.Resource)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if usage != nil {
		doc.Policy.AttachmentCount, doc.Policy.PermissionsBoundaryUsageCount = &usage.Attachments, &usage.Boundaries
	}
	return doc, nil
}

// exists answers with the message given if there is no such policy.
func (s *Service) exists(tx *store.Tx, scope store.Scope, text, message string) error {
	_, err := s.managed(tx, scope, text)
	return orNoSuch(err, message)
}

// attachable tells why a policy can't be attached, if it can't.
func (s *Service) attachable(tx *store.Tx, scope store.Scope, text string) error {
	if err := s.exists(tx, scope, text, notAttachable(text)); err != nil {
		return err
	}
	if strings.Contains(text, "::aws:policy/aws-service-role/") {
		return api.NewPolicyNotAttachableException("Cannot attach a Service Role Policy to a Customer Role.")
	}
	return nil
}

func notAttachable(text string) string {
	return "Policy " + text + " does not exist or is not attachable."
}

// count keeps how often a policy is attached and a boundary.
func (s *Service) count(tx *store.Tx, scope store.Scope, text string, attachments, boundaries int32) error {
	a, err := parsePolicyARN(text)
	if err != nil {
		return err
	}
	if a.Account != "aws" {
		id := strings.ToLower(a.Name())
		doc, err := policies.Get(tx, scope, id)
		if err != nil {
			return err
		}
		*doc.Policy.AttachmentCount += attachments
		*doc.Policy.PermissionsBoundaryUsageCount += boundaries
		return policies.Put(tx, scope, doc, id)
	}
	usage, err := awsUsages.Get(tx, scope, a.Resource)
	if errors.Is(err, store.ErrNotFound) {
		usage, err = &awsUsageDoc{}, nil
	}
	if err != nil {
		return err
	}
	usage.Attachments += attachments
	usage.Boundaries += boundaries
	if *usage == (awsUsageDoc{}) {
		return awsUsages.Delete(tx, scope, a.Resource)
	}
	return awsUsages.Put(tx, scope, usage, a.Resource)
}
