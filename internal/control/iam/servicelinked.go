package iam

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	api "gatehouse/internal/awsapi/iam"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// linkedPath begins the path of roles that belong to an AWS service.
const linkedPath = "/aws-service-role/"

func (d *roleDoc) serviceLinked() bool { return strings.HasPrefix(*d.Role.Path, linkedPath) }

func protected(d *roleDoc) error {
	return api.NewUnmodifiableEntityException(fmt.Sprintf(
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", *d.Role.RoleName))
}

// linkedNames are what services call their role after AWSServiceRoleFor, where
// it isn't the first part of their own name.
func linkedName(service string) string {
	switch service {
	case "ops.apigateway.amazonaws.com":
		return "APIGateway"
	case "replicator.lambda.amazonaws.com":
		return "LambdaReplicator"
	case "elasticloadbalancing.amazonaws.com":
		return "ElasticLoadBalancing"
	case "autoscaling.amazonaws.com":
		return "AutoScaling"
	case "ecs.amazonaws.com":
		return "ECS"
	case "rds.amazonaws.com":
		return "RDS"
	case "wafv2.amazonaws.com":
		return "WAFV2Logging"
	}
	first, _, _ := strings.Cut(service, ".")
	return strings.ToUpper(first[:1]) + first[1:]
}

// suffixed tells whether a service may have several roles, told apart by a
// suffix.
func suffixed(service string) bool {
	switch service {
	case "autoscaling.amazonaws.com", "connect.amazonaws.com", "lexv2.amazonaws.com", "channels.lexv2.amazonaws.com", "custom-resource.application-autoscaling.amazonaws.com":
		return true
	}
	return false
}

// CreateServiceLinkedRole makes the role that only the service named can
// assume and only it may change.
func (s *Service) CreateServiceLinkedRole(c *awswire.Call, in *api.CreateServiceLinkedRoleRequest) (*api.CreateServiceLinkedRoleResponse, error) {
	service := *in.AWSServiceName
	if !strings.HasSuffix(service, ".amazonaws.com") || strings.HasPrefix(service, ".") {
		return nil, invalidInput("Service principal " + service + " is not supported.")
	}
	name := "AWSServiceRoleFor" + linkedName(service)
	if in.CustomSuffix != nil {
		if !suffixed(service) {
			return nil, invalidInput("Custom suffix is not allowed for " + service)
		}
		name += "_" + *in.CustomSuffix
	}
	unique, err := newID(s.random, roleID, c.Account)
	if err != nil {
		return nil, err
	}
	d := &roleDoc{Role: api.Role{
		Path: new(linkedPath + service + "/"), RoleName: &name, RoleId: &unique, CreateDate: now(c), Description: some(in.Description),
		MaxSessionDuration: new(int32(defaultMaxSession)),
		AssumeRolePolicyDocument: new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service +
			`"},"Action":"sts:AssumeRole"}]}`),
	}}
	d.Role.Arn = arnOf(c, "role", d.Role.Path, d.Role.RoleName)
	err = s.store.Update(c, func(tx *store.Tx) error {
		exists, err := roles.Exists(tx, scopeOf(c), id(&name))
		if err != nil {
			return err
		}
		if exists {
			return invalidInput("Service role name " + name + " has been taken in this account, please try a different suffix.")
		}
		return roles.Put(tx, scopeOf(c), d, id(&name))
	})
	if err != nil {
		return nil, err
	}
	out := d.Role
	out.AssumeRolePolicyDocument = encoded(out.AssumeRolePolicyDocument)
	out.MaxSessionDuration = nil
	return &api.CreateServiceLinkedRoleResponse{Role: &out}, nil
}

// DeleteServiceLinkedRole deletes at once; AWS does it in the background, which
// is why the answer is a task to ask for.
func (s *Service) DeleteServiceLinkedRole(c *awswire.Call, in *api.DeleteServiceLinkedRoleRequest) (*api.DeleteServiceLinkedRoleResponse, error) {
	var task string
	err := s.store.Update(c, func(tx *store.Tx) error {
		d, err := roles.Get(tx, scopeOf(c), id(in.RoleName))
		if err != nil {
			return orNoSuch(err, noRole(in.RoleName))
		}
		if !d.serviceLinked() {
			return invalidInput("Role " + *in.RoleName + " is not a service-linked role.")
		}
		task = "task" + *d.Role.Path + *d.Role.RoleName + "/" + rand.Text()
		if err := deletions.Put(tx, scopeOf(c), &deletionDoc{Role: *d.Role.RoleName}, task); err != nil {
			return err
		}
		return roles.Delete(tx, scopeOf(c), id(in.RoleName))
	})
	if err != nil {
		return nil, err
	}
	return &api.DeleteServiceLinkedRoleResponse{DeletionTaskId: &task}, nil
}

// GetServiceLinkedRoleDeletionStatus tells how a deletion went: well.
func (s *Service) GetServiceLinkedRoleDeletionStatus(c *awswire.Call, in *api.GetServiceLinkedRoleDeletionStatusRequest) (*api.GetServiceLinkedRoleDeletionStatusResponse, error) {
	err := s.store.View(c, func(tx *store.Tx) error {
		_, err := deletions.Get(tx, scopeOf(c), *in.DeletionTaskId)
		if errors.Is(err, store.ErrNotFound) {
			return noSuchEntity("Deletion task with id " + *in.DeletionTaskId + " cannot be found.")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.GetServiceLinkedRoleDeletionStatusResponse{Status: new("SUCCEEDED")}, nil
}
