package conformance

import "sync"

// callers prepares what of a setup is about who calls.
func (s *scene) callers() {
	s.principals, s.issuers, s.tokens = map[string]func() (*madePrincipal, error){}, map[string]func() (*madeIssuer, error){}, map[string]func() (string, error){}
	s.pools, s.plans, s.keys = map[string]func() (*madePool, error){}, map[string]func() (string, error){}, map[string]func() (*madeKey, error){}
	for name := range s.setup.Users {
		s.principals["users."+name] = sync.OnceValues(func() (*madePrincipal, error) { return s.makeUser(name) })
	}
	for name := range s.setup.Roles {
		s.principals["roles."+name] = sync.OnceValues(func() (*madePrincipal, error) { return s.makeRolePrincipal(name) })
	}
	for name, spec := range s.setup.Issuers {
		s.issuers[name] = sync.OnceValues(func() (*madeIssuer, error) { return s.world.Issuers.make(s.world.unique(), spec) })
	}
	for name := range s.setup.Tokens {
		s.tokens[name] = sync.OnceValues(func() (string, error) { return s.mint(name) })
	}
	for name := range s.setup.UserPools {
		s.pools[name] = sync.OnceValues(func() (*madePool, error) { return s.makePool(name) })
	}
	for name := range s.setup.UsagePlans {
		s.plans[name] = sync.OnceValues(func() (string, error) { return s.makePlan(name) })
	}
	for name := range s.setup.APIKeys {
		s.keys[name] = sync.OnceValues(func() (*madeKey, error) { return s.makeKey(name) })
	}
}

// caller finds users.NAME and roles.NAME with their attributes, issuers.NAME
// (the URL), tokens.NAME, userPools.NAME with its attributes, usagePlans.NAME
// (the id) and apiKeys.NAME (the value) with apiKeys.NAME.id.
func (s *scene) caller(head, key, attribute string) (value string, ok bool, err error) {
	if get := s.principals[head+"."+key]; get != nil {
		made, err := get()
		if err != nil {
			return "", true, err
		}
		value, ok := made.value(attribute)
		return value, ok, nil
	}
	switch head {
	case "issuers":
		if get := s.issuers[key]; get != nil {
			made, err := get()
			if err != nil {
				return "", true, err
			}
			return made.url, true, nil
		}
	case "tokens":
		if get := s.tokens[key]; get != nil {
			value, err := get()
			return value, true, err
		}
	case "userPools":
		if get := s.pools[key]; get != nil {
			made, err := get()
			if err != nil {
				return "", true, err
			}
			return made.value(s.world, attribute)
		}
	case "usagePlans":
		if get := s.plans[key]; get != nil {
			value, err := get()
			return value, true, err
		}
	case "apiKeys":
		if get := s.keys[key]; get != nil {
			made, err := get()
			if err != nil {
				return "", true, err
			}
			if attribute == "id" {
				return made.id, true, nil
			}
			return made.value, true, nil
		}
	}
	return "", false, nil
}
