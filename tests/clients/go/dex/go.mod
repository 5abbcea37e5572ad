module latchkey-clients/dex

go 1.26.8

require (
	github.com/dexidp/dex v2.13.0+incompatible
	github.com/sirupsen/logrus v1.10.2
)

require (
	github.com/coreos/go-oidc v2.5.0+incompatible // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/pquerna/cachecontrol v0.2.0 // indirect
	golang.org/x/crypto v0.59.0 // indirect
	golang.org/x/oauth2 v0.38.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
	gopkg.in/go-jose/go-jose.v2 v2.6.3 // indirect
)
