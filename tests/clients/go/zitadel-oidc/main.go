package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

type claims = oidc.IDTokenClaims

func main() {
	ctx := context.Background()
	key := []byte("a key of 32 bytes for its cookie")
	// WithUnsecure is for http, in development.
	// docs: begin
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())
	client, err := rp.NewRelyingPartyOIDC(ctx, os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"),
		"http://127.0.0.1:"+os.Getenv("PORT")+"/auth/callback", []string{"openid", "profile", "email", "offline_access"},
		rp.WithCookieHandler(cookies),
		rp.WithPKCE(cookies), // without it the package sends neither a code challenge nor a nonce
	)
	if err != nil {
		log.Fatal(err)
	}
	var refreshToken, idToken string // of one user, for brevity
	http.Handle("/", rp.AuthURLHandler(rand.Text, client))
	// docs: end
	http.Handle("/auth/callback", rp.CodeExchangeHandler(
		func(w http.ResponseWriter, r *http.Request, tokens *oidc.Tokens[*claims], state string, _ rp.RelyingParty) {
			refreshToken, idToken = tokens.RefreshToken, tokens.IDToken
			_ = json.NewEncoder(w).Encode(tokens.IDTokenClaims)
		}, client))
	http.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		tokens, err := rp.RefreshTokens[*claims](ctx, client, refreshToken, "", "")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		info, err := rp.Userinfo[*oidc.UserInfo](ctx, tokens.AccessToken, tokens.TokenType, tokens.IDTokenClaims.GetSubject(), client)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(info)
	})
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, client.GetEndSessionEndpoint()+"?id_token_hint="+idToken, http.StatusFound)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
