package cognitoidp

import (
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

// newAttributes checks what a new user gets, and that nothing is missing.
func newAttributes(p *api.UserPoolType, given []api.AttributeType) error {
	seen := map[string]bool{}
	for _, a := range given {
		name := *a.Name
		if name == "sub" {
			return nonconforming("sub", "Attribute cannot be updated.")
		}
		if seen[name] {
			return invalid("Duplicate attribute " + name + ".") // UNVERIFIED wording
		}
		seen[name] = value(a.Value) != ""
		if value(a.Value) == "" {
			continue
		}
		if err := checkAttribute(p.SchemaAttributes, name, *a.Value); err != nil {
			return err
		}
	}
	for _, a := range p.SchemaAttributes {
		if *a.Name != "sub" && value(a.Required) && !seen[*a.Name] {
			return nonconforming(*a.Name, "The attribute is required")
		}
	}
	return nil
}

// add gives a new user its attributes.
func (u *user) add(given []api.AttributeType) {
	for _, a := range given {
		if value(a.Value) != "" {
			u.set(*a.Name, *a.Value)
		}
	}
}

// update changes attributes; an empty value takes one away. A new address isn't
// a verified one, unless given says so. later are those that the pool leaves as
// they are until the user has verified them.
func (u *user) update(given []api.AttributeType) (later map[string]string, err error) {
	says := map[string]string{}
	for _, a := range given {
		says[*a.Name] = value(a.Value)
	}
	later = map[string]string{}
	for _, a := range given {
		name, text := *a.Name, value(a.Value)
		schema := attributeOf(u.pool.SchemaAttributes, name)
		if schema == nil {
			return nil, nonconforming(name, "Attribute does not exist in the schema.")
		}
		old, had := u.attribute(name)
		if !value(schema.Mutable) && (had || name == "sub") && text != old {
			return nil, nonconforming(name, "Attribute cannot be updated.")
		}
		if text == "" {
			if err := u.takeAway(name, schema); err != nil {
				return nil, err
			}
			continue
		}
		if err := checkAttribute(u.pool.SchemaAttributes, name, text); err != nil {
			return nil, err
		}
		if !verifiable(name) || text == old {
			u.set(name, text)
			continue
		}
		verified := says[name+"_verified"] == "true"
		if u.waits(name) && !verified {
			later[name] = text
			continue
		}
		u.set(name, text)
		if !verified {
			u.set(name+"_verified", "false")
		}
	}
	return later, nil
}

func (u *user) takeAway(name string, schema *api.SchemaAttributeType) error {
	if value(schema.Required) || signsInBy(u.pool, name) {
		return nonconforming(name, "The attribute is required")
	}
	u.unset(name)
	if verifiable(name) {
		u.unset(name + "_verified")
	}
	return nil
}

// verifiable tells whether an attribute is an address that can be verified.
func verifiable(name string) bool { return name == "email" || name == "phone_number" }

// waits tells whether an address changes only once it was verified.
func (u *user) waits(name string) bool {
	return u.pool.UserAttributeUpdateSettings != nil &&
		slices.Contains(u.pool.UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate, name)
}

// readable are a user's attributes that a client may see.
func readable(cl *api.UserPoolClientType, attributes []api.AttributeType) []api.AttributeType {
	var list []api.AttributeType
	for _, a := range attributes {
		if mayRead(cl, *a.Name) {
			list = append(list, a)
		}
	}
	return list
}

func mayRead(cl *api.UserPoolClientType, name string) bool { return permitted(cl.ReadAttributes, name) }

// permitted tells whether a client's list has an attribute. Those for developers
// are never a client's.
//
// UNVERIFIED: without a list a client has the pool's own attributes too, as CDK
// and Terraform users find, though the reference speaks of the standard ones.
func permitted(list []string, name string) bool {
	if strings.HasPrefix(name, developerPrefix) {
		return false
	}
	return len(list) == 0 || name == "sub" || slices.Contains(list, name)
}

// writable refuses what a client may not write.
func writable(cl *api.UserPoolClientType, names []string) error {
	for _, name := range names {
		if name == "email_verified" || name == "phone_number_verified" || !permitted(cl.WriteAttributes, name) {
			return notAuthorized("A client attempted to write unauthorized attribute")
		}
	}
	return nil
}

func namesOf(attributes []api.AttributeType) []string {
	var names []string
	for _, a := range attributes {
		names = append(names, *a.Name)
	}
	return names
}

// AdminUpdateUserAttributes changes a user's attributes.
func (s *Service) AdminUpdateUserAttributes(c *awswire.Call, in *api.AdminUpdateUserAttributesRequest) (*api.AdminUpdateUserAttributesResponse, error) {
	var later []Code
	err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		waiting, err := u.update(in.UserAttributes)
		if err != nil {
			return err
		}
		later, err = s.verifyLater(c, u, waiting)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.send(later...)
	return &api.AdminUpdateUserAttributesResponse{}, nil
}

// AdminDeleteUserAttributes takes attributes away.
func (s *Service) AdminDeleteUserAttributes(c *awswire.Call, in *api.AdminDeleteUserAttributesRequest) (*api.AdminDeleteUserAttributesResponse, error) {
	err := s.changeUser(c, in.UserPoolId, in.Username, func(_ *store.Tx, u *user) error {
		return u.takeAll(in.UserAttributeNames)
	})
	if err != nil {
		return nil, err
	}
	return &api.AdminDeleteUserAttributesResponse{}, nil
}

func (u *user) takeAll(names []string) error {
	for _, name := range names {
		schema := attributeOf(u.pool.SchemaAttributes, name)
		if schema == nil {
			return nonconforming(name, "Attribute does not exist in the schema.")
		}
		if err := u.takeAway(name, schema); err != nil {
			return err
		}
	}
	return nil
}
