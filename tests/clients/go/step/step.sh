# docs: begin
token=$(step oauth --oidc --bare \
  --authorization-endpoint "$ISSUER/authorize" --token-endpoint "$ISSUER/token" \
  --client-id "$CLIENT_ID" --client-secret "" \
  --scope openid --scope profile --scope email \
  --listen "127.0.0.1:$PORT")
echo "$token" | step crypto jwt inspect --insecure
# docs: end
