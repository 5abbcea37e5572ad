package nimbus;

import com.nimbusds.jwt.JWT;
import com.nimbusds.oauth2.sdk.*;
import com.nimbusds.oauth2.sdk.auth.*;
import com.nimbusds.oauth2.sdk.id.*;
import com.nimbusds.oauth2.sdk.pkce.*;
import com.nimbusds.oauth2.sdk.token.*;
import com.nimbusds.openid.connect.sdk.*;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.sun.net.httpserver.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;

public class Client {
    record Waiting(Nonce nonce, CodeVerifier verifier) {}

    static final Map<String, Waiting> WAITING = new ConcurrentHashMap<>();
    static final ClientID ID = new ClientID(System.getenv("CLIENT_ID"));
    static final ClientAuthentication AUTHENTICATION = new ClientSecretBasic(ID, new Secret(System.getenv("CLIENT_SECRET")));
    static OIDCProviderMetadata metadata;
    static URI redirectUri;
    static RefreshToken refreshToken; // of one user, for brevity

    public static void main(String[] arguments) throws Exception {
        metadata = OIDCProviderMetadata.resolve(new Issuer(System.getenv("ISSUER")));
        int port = Integer.parseInt(System.getenv("PORT"));
        redirectUri = URI.create("http://127.0.0.1:" + port + "/callback");
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", exchange -> answer(exchange, Client::begin));
        server.createContext("/callback", exchange -> answer(exchange, Client::callback));
        server.createContext("/refresh", exchange -> answer(exchange, Client::refresh));
        server.start();
    }

    // docs: begin
    static String begin(HttpExchange exchange) {
        var state = new State();
        var waiting = new Waiting(new Nonce(), new CodeVerifier());
        WAITING.put(state.getValue(), waiting);
        var scope = new Scope("openid", "profile", "email", "offline_access");
        var request = new AuthenticationRequest.Builder(ResponseType.CODE, scope, ID, redirectUri)
                .endpointURI(metadata.getAuthorizationEndpointURI())
                .state(state)
                .nonce(waiting.nonce())
                .codeChallenge(waiting.verifier(), CodeChallengeMethod.S256)
                .build();
        exchange.getResponseHeaders().set("Location", request.toURI().toString());
        return "";
    }

    static String callback(HttpExchange exchange) throws Exception {
        var response = AuthenticationResponseParser.parse(exchange.getRequestURI()).toSuccessResponse();
        var waiting = WAITING.remove(response.getState().getValue());
        var tokens = tokens(new AuthorizationCodeGrant(response.getAuthorizationCode(), redirectUri, waiting.verifier()));
        refreshToken = tokens.getRefreshToken();
        JWT idToken = tokens.toOIDCTokens().getIDToken();
        var validator = new IDTokenValidator(metadata.getIssuer(), ID, com.nimbusds.jose.JWSAlgorithm.RS256, metadata.getJWKSetURI().toURL());
        return validator.validate(idToken, waiting.nonce()).toJSONString();
    }
    // docs: end

    static String refresh(HttpExchange exchange) throws Exception {
        var token = tokens(new RefreshTokenGrant(refreshToken)).getBearerAccessToken();
        var response = new UserInfoRequest(metadata.getUserInfoEndpointURI(), token).toHTTPRequest().send();
        return UserInfoResponse.parse(response).toSuccessResponse().getUserInfo().toJSONString();
    }

    static Tokens tokens(AuthorizationGrant grant) throws Exception {
        var request = new TokenRequest.Builder(metadata.getTokenEndpointURI(), AUTHENTICATION, grant).build();
        return OIDCTokenResponseParser.parse(request.toHTTPRequest().send()).toSuccessResponse().getTokens();
    }

    interface Page {
        String of(HttpExchange exchange) throws Exception;
    }

    static void answer(HttpExchange exchange, Page page) throws java.io.IOException {
        byte[] body;
        int status = 200;
        try {
            body = page.of(exchange).getBytes();
            status = exchange.getResponseHeaders().containsKey("Location") ? 302 : 200;
        } catch (Exception error) {
            error.printStackTrace();
            body = error.toString().getBytes();
            status = 500;
        }
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
