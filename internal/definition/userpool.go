package definition

import (
	"gatehouse/internal/awsapi/cognitoidp"
	"gatehouse/internal/store"
)

// A UserPoolDomain is where the pages of a user pool are. It is stored in no scope,
// keyed {prefix, region}, which are a host name together, or, a custom one,
// {name, ""}.
type UserPoolDomain struct {
	Domain          cognitoidp.DomainDescriptionType
	Account, Region string
}

// UserPoolDomains is the kind of UserPoolDomain. Of all that user pools store this is
// here alone: a name is an API's or a user pool's, and hands are shaken for either.
var UserPoolDomains = store.Kind[UserPoolDomain]{Name: "cognitoidp/userPoolDomain"}
