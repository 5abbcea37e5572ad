package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

var (
	verifiers = map[string]string{} // of the code challenges, by state
	token     *oauth2.Token         // one user, for brevity
	claims    map[string]any
)

func main() {
	ctx := context.Background()
	// docs: begin
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	check(err)
	config := oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Endpoint:     provider.Endpoint(),
		RedirectURL:  "http://127.0.0.1:" + os.Getenv("PORT") + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if claims != nil {
			check(json.NewEncoder(w).Encode(claims))
			return
		}
		state, verifier := rand.Text(), oauth2.GenerateVerifier()
		verifiers[state] = verifier
		// Without S256ChallengeOption the library sends neither a code challenge nor a nonce.
		http.Redirect(w, r, config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		verifier, ok := verifiers[r.FormValue("state")]
		if !ok {
			http.Error(w, "unknown state", http.StatusBadRequest)
			return
		}
		token, err = config.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(verifier))
		check(err)
		idToken, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, token.Extra("id_token").(string))
		check(err)
		check(idToken.Claims(&claims))
		// docs: end
		http.Redirect(w, r, "/", http.StatusFound)
	})
	http.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) {
		source := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken})
		info, err := provider.UserInfo(ctx, source)
		check(err)
		check(info.Claims(&claims))
		http.Redirect(w, r, "/", http.StatusFound)
	})
	check(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
