package apigateway

import (
	"strings"

	"gatehouse/internal/arn"
	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// Access associations open a way from VPC endpoints, which listeners stand for, to
// private domains.

const (
	associationIDLength = 10
	associations        = "/domainnameaccessassociations/"
	// UNVERIFIED: the words.
	unknownAssociation = "Invalid domain name access association identifier specified"
)

// CreateDomainNameAccessAssociation joins a private domain with a VPC endpoint.
func (s *Service) CreateDomainNameAccessAssociation(c *awswire.Call, in *apigateway.CreateDomainNameAccessAssociationRequest) (*apigateway.DomainNameAccessAssociation, error) {
	a := &definition.AccessAssociation{}
	a.DomainNameArn, a.AccessAssociationSource, a.AccessAssociationSourceType = in.DomainNameArn, in.AccessAssociationSource, in.AccessAssociationSourceType
	if err := setTags(&a.Tags, in.Tags); err != nil {
		return nil, err
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		domainARN, err := arn.Parse(value(in.DomainNameArn))
		name, id, private := strings.Cut(strings.TrimPrefix(domainARN.Resource, "/domainnames/"), "+")
		if err != nil || !private || domainARN.Service != "apigateway" || domainARN.Account != c.Account || domainARN.Region != c.Region {
			// UNVERIFIED: the words.
			return badRequest("Invalid domain name ARN specified: %s", value(in.DomainNameArn))
		}
		if _, err := s.domains.Get(tx, c, name, &id); err != nil {
			return domainError(err)
		}
		for e, err := range definition.AccessAssociations.All(tx, scope(c)) {
			if err != nil {
				return err
			}
			if value(e.Doc.DomainNameArn) == *in.DomainNameArn && value(e.Doc.AccessAssociationSource) == value(in.AccessAssociationSource) {
				// UNVERIFIED: the words.
				return conflict("The domain name access association already exists")
			}
		}
		key, err := s.freeID(associationIDLength, func(id string) (bool, error) {
			return definition.AccessAssociations.Exists(tx, scope(c), id)
		})
		if err != nil {
			return err
		}
		a.DomainNameAccessAssociationArn = new(arn.ARN{
			Partition: arn.Partition(c.Region), Service: "apigateway", Region: c.Region, Account: c.Account,
			Resource: associations + "domainname/" + name + "/vpcesource/" + value(in.AccessAssociationSource) + "+" + key,
		}.String())
		return definition.AccessAssociations.Put(tx, scope(c), a, key)
	})
	if err != nil {
		return nil, err
	}
	return &a.DomainNameAccessAssociation, nil
}

// GetDomainNameAccessAssociations lists the associations of the account and
// region. What other accounts share isn't known here.
func (s *Service) GetDomainNameAccessAssociations(c *awswire.Call, in *apigateway.GetDomainNameAccessAssociationsRequest) (*apigateway.DomainNameAccessAssociations, error) {
	out := &apigateway.DomainNameAccessAssociations{}
	if value(in.ResourceOwner) == apigateway.ResourceOwnerOtherAccounts {
		return out, nil
	}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.AccessAssociations, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.AccessAssociation]) apigateway.DomainNameAccessAssociation {
				return e.Doc.DomainNameAccessAssociation
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteDomainNameAccessAssociation removes an association.
func (s *Service) DeleteDomainNameAccessAssociation(c *awswire.Call, in *apigateway.DeleteDomainNameAccessAssociationRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		return dropAssociation(tx, c, value(in.DomainNameAccessAssociationArn), nil)
	})
}

// RejectDomainNameAccessAssociation removes an association with a domain of the
// caller's.
func (s *Service) RejectDomainNameAccessAssociation(c *awswire.Call, in *apigateway.RejectDomainNameAccessAssociationRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		return dropAssociation(tx, c, value(in.DomainNameAccessAssociationArn), in.DomainNameArn)
	})
}

func dropAssociation(tx *store.Tx, c *awswire.Call, name string, domainARN *string) error {
	key := associationKey(name)
	a, err := definition.AccessAssociations.Get(tx, scope(c), key)
	if err != nil {
		return missing(err, "%s", unknownAssociation)
	}
	if value(a.DomainNameAccessAssociationArn) != name || domainARN != nil && value(a.DomainNameArn) != *domainARN {
		return notFound(unknownAssociation)
	}
	return definition.AccessAssociations.Delete(tx, scope(c), key)
}

// associationKey is what the document of an association is found by: the end of
// its ARN.
func associationKey(name string) string { return name[strings.LastIndexByte(name, '+')+1:] }

// dropAssociations removes those of a domain that goes.
func dropAssociations(tx *store.Tx, c *awswire.Call, domainARN string) error {
	var keys []string
	for e, err := range definition.AccessAssociations.All(tx, scope(c)) {
		if err != nil {
			return err
		}
		if value(e.Doc.DomainNameArn) == domainARN {
			keys = append(keys, e.ID[0])
		}
	}
	for _, key := range keys {
		if err := definition.AccessAssociations.Delete(tx, scope(c), key); err != nil {
			return err
		}
	}
	return nil
}
