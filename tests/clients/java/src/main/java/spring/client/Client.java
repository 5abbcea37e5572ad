package spring.client;

import java.util.Map;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.annotation.RegisteredOAuth2AuthorizedClient;
import org.springframework.security.oauth2.client.endpoint.OAuth2RefreshTokenGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientRefreshTokenTokenResponseClient;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.userinfo.DefaultOAuth2UserService;
import org.springframework.security.oauth2.client.userinfo.OAuth2UserRequest;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Client {
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(Client.class).properties("spring.config.name=spring-client").run(arguments);
    }

    @Bean
    SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
        return http.authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
                .oauth2Login(Customizer.withDefaults())
                .logout(logout -> logout.logoutSuccessHandler(new OidcClientInitiatedLogoutSuccessHandler(clients)))
                .build();
    }

    @GetMapping("/")
    Map<String, Object> user(@AuthenticationPrincipal OidcUser user) {
        return user.getClaims();
    }

    @GetMapping("/refresh")
    Map<String, Object> refresh(@RegisteredOAuth2AuthorizedClient("latchkey") OAuth2AuthorizedClient client) {
        var registration = client.getClientRegistration();
        var request = new OAuth2RefreshTokenGrantRequest(registration, client.getAccessToken(), client.getRefreshToken());
        var tokens = new RestClientRefreshTokenTokenResponseClient().getTokenResponse(request);
        return new DefaultOAuth2UserService().loadUser(new OAuth2UserRequest(registration, tokens.getAccessToken())).getAttributes();
    }
}
