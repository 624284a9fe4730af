package cognitoidp

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	api "gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/awswire"
	"gatehouse/internal/store"
)

const (
	customPrefix    = "custom:"
	developerPrefix = "dev:"
	maxCustom       = 50
)

// standardNames are the attributes that every pool has, in AWS's order.
var standardNames = []string{
	"sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
	"email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at",
}

// standard is how a pool describes one of the standard attributes.
func standard(name string) api.SchemaAttributeType {
	a := api.SchemaAttributeType{
		Name: &name, AttributeDataType: new(api.AttributeDataTypeString),
		DeveloperOnlyAttribute: new(false), Mutable: new(true), Required: new(false),
	}
	lengths := func(least, most string) {
		a.StringAttributeConstraints = &api.StringAttributeConstraintsType{MinLength: &least, MaxLength: &most}
	}
	switch name {
	case "sub":
		a.Mutable, a.Required = new(false), new(true)
		lengths("1", "2048")
	case "birthdate":
		lengths("10", "10")
	case "email_verified", "phone_number_verified":
		a.AttributeDataType = new(api.AttributeDataTypeBoolean)
	case "updated_at":
		a.AttributeDataType = new(api.AttributeDataTypeNumber)
		a.NumberAttributeConstraints = &api.NumberAttributeConstraintsType{MinValue: new("0")}
	default:
		lengths("0", "2048")
	}
	return a
}

// newSchema is the standard attributes, changed and added to by what was asked.
func newSchema(asked []api.SchemaAttributeType) ([]api.SchemaAttributeType, error) {
	var schema []api.SchemaAttributeType
	for _, name := range standardNames {
		schema = append(schema, standard(name))
	}
	var custom []api.SchemaAttributeType
	for _, a := range asked {
		at := slices.Index(standardNames, value(a.Name))
		if at < 0 {
			custom = append(custom, a)
			continue
		}
		own := schema[at]
		if a.AttributeDataType != nil && *a.AttributeDataType != *own.AttributeDataType {
			return nil, invalid("You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute " + *a.Name)
		}
		if value(a.DeveloperOnlyAttribute) {
			return nil, invalid("You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute " + *a.Name)
		}
		own.Required, own.Mutable = or(a.Required, *own.Required), or(a.Mutable, *own.Mutable)
		if given := a.StringAttributeConstraints; given != nil && own.StringAttributeConstraints != nil {
			own.StringAttributeConstraints = &api.StringAttributeConstraintsType{
				MinLength: or(given.MinLength, *own.StringAttributeConstraints.MinLength),
				MaxLength: or(given.MaxLength, *own.StringAttributeConstraints.MaxLength),
			}
		}
		if given := a.NumberAttributeConstraints; given != nil && own.NumberAttributeConstraints != nil {
			own.NumberAttributeConstraints = given
		}
		if err := checkConstraints(own); err != nil {
			return nil, err
		}
		schema[at] = own
	}
	return addCustom(schema, custom)
}

// addCustom adds a pool's own attributes, which get a prefix.
func addCustom(schema, custom []api.SchemaAttributeType) ([]api.SchemaAttributeType, error) {
	schema = slices.Clone(schema)
	for _, a := range custom {
		if value(a.Name) == "" {
			return nil, invalid("An attribute of the schema has no name.") // UNVERIFIED wording
		}
		name := customPrefix + *a.Name
		if value(a.DeveloperOnlyAttribute) {
			name = developerPrefix + name
		}
		if attributeOf(schema, name) != nil {
			return nil, invalid(name + ": Existing attribute already has name " + name + ".")
		}
		if value(a.Required) {
			return nil, invalid("Required custom attributes are not supported currently.")
		}
		own := api.SchemaAttributeType{
			Name: &name, AttributeDataType: or(a.AttributeDataType, api.AttributeDataTypeString),
			DeveloperOnlyAttribute: or(a.DeveloperOnlyAttribute, false), Mutable: or(a.Mutable, true), Required: new(false),
		}
		switch *own.AttributeDataType {
		case api.AttributeDataTypeString:
			own.StringAttributeConstraints = or(a.StringAttributeConstraints, api.StringAttributeConstraintsType{})
		case api.AttributeDataTypeNumber:
			own.NumberAttributeConstraints = or(a.NumberAttributeConstraints, api.NumberAttributeConstraintsType{})
		}
		if err := checkConstraints(own); err != nil {
			return nil, err
		}
		schema = append(schema, own)
	}
	if len(schema)-len(standardNames) > maxCustom {
		return nil, limitExceeded("The number of custom attributes exceeds the limit of " + strconv.Itoa(maxCustom) + ".")
	}
	return schema, nil
}

func checkConstraints(a api.SchemaAttributeType) error {
	var bounds []*string
	if s := a.StringAttributeConstraints; s != nil {
		bounds = append(bounds, s.MinLength, s.MaxLength)
	}
	if n := a.NumberAttributeConstraints; n != nil {
		bounds = append(bounds, n.MinValue, n.MaxValue)
	}
	for _, b := range bounds {
		if b == nil {
			continue
		}
		if _, err := strconv.ParseInt(*b, 10, 64); err != nil {
			return invalid("Invalid constraint " + *b + " of the attribute " + *a.Name + ".")
		}
	}
	return nil
}

func attributeOf(schema []api.SchemaAttributeType, name string) *api.SchemaAttributeType {
	at := slices.IndexFunc(schema, func(a api.SchemaAttributeType) bool { return *a.Name == name })
	if at < 0 {
		return nil
	}
	return &schema[at]
}

// AddCustomAttributes adds attributes to a pool, which stay for good.
func (s *Service) AddCustomAttributes(c *awswire.Call, in *api.AddCustomAttributesRequest) (*api.AddCustomAttributesResponse, error) {
	err := s.changePool(c, in.UserPoolId, func(_ *store.Tx, d *poolDoc) (err error) {
		d.Pool.SchemaAttributes, err = addCustom(d.Pool.SchemaAttributes, in.CustomAttributes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.AddCustomAttributesResponse{}, nil
}

// nonconforming words what the schema has against an attribute.
func nonconforming(name, what string) error {
	return invalid("Attributes did not conform to the schema: " + name + ": " + what + "\n")
}

// checkAttribute compares a value with the schema.
func checkAttribute(schema []api.SchemaAttributeType, name, text string) error {
	a := attributeOf(schema, name)
	if a == nil {
		return nonconforming(name, "Attribute does not exist in the schema.")
	}
	switch *a.AttributeDataType {
	case api.AttributeDataTypeBoolean:
		if text != "true" && text != "false" {
			return nonconforming(name, "Attribute must be a boolean.") // UNVERIFIED wording
		}
	case api.AttributeDataTypeNumber:
		return checkNumber(a, text)
	case api.AttributeDataTypeString:
		if err := checkText(a, text); err != nil {
			return err
		}
	}
	switch name {
	case "email":
		if !isEmail(text) {
			return invalid("Invalid email address format.")
		}
	case "phone_number":
		if !isPhone(text) {
			return invalid("Invalid phone number format.")
		}
	}
	return nil
}

func checkNumber(a *api.SchemaAttributeType, text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nonconforming(*a.Name, "Number cannot be parsed.") // UNVERIFIED wording
	}
	limits := value(a.NumberAttributeConstraints)
	if least, ok := bound(limits.MinValue); ok && n < least {
		return nonconforming(*a.Name, "Number must be no less than "+*limits.MinValue) // UNVERIFIED wording
	}
	if most, ok := bound(limits.MaxValue); ok && n > most {
		return nonconforming(*a.Name, "Number must be no greater than "+*limits.MaxValue) // UNVERIFIED wording
	}
	return nil
}

// maxAttribute is the longest value an attribute has.
const maxAttribute = 2048

func checkText(a *api.SchemaAttributeType, text string) error {
	limits := value(a.StringAttributeConstraints)
	n := int64(utf8.RuneCountInString(text))
	if least, ok := bound(limits.MinLength); ok && n < least {
		return nonconforming(*a.Name, "String must be no shorter than "+*limits.MinLength+" characters") // UNVERIFIED wording
	}
	if most, ok := bound(limits.MaxLength); ok && n > most {
		return nonconforming(*a.Name, "String must be no longer than "+*limits.MaxLength+" characters") // UNVERIFIED wording
	}
	if n > maxAttribute {
		return nonconforming(*a.Name, "String must be no longer than 2048 characters")
	}
	return nil
}

func bound(text *string) (int64, bool) {
	if text == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(*text, 10, 64)
	return n, err == nil
}

// isEmail is as lenient as Cognito.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n") && !strings.Contains(domain, "@") && strings.Contains(domain, ".")
}

// isPhone is E.164.
func isPhone(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= 2 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}
