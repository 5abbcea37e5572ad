package spring.api;

import java.util.Map;
import java.util.Objects;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Api {
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(Api.class)
                .properties("spring.config.name=spring-api", "server.address=127.0.0.1", "server.port=${PORT}")
                .run(arguments);
    }

    // docs: begin
    /** The default decoder rejects the type at+jwt (RFC 9068). This one requires it. */
    @Bean
    JwtDecoder decoder(@Value("${ISSUER}") String issuer, @Value("${RESOURCE}") String resource) {
        var decoder = NimbusJwtDecoder.withIssuerLocation(issuer).validateType(false).build();
        // The builder demands a check of client_id. This one accepts each client.
        var anyClient = new JwtClaimValidator<String>("client_id", Objects::nonNull);
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer(issuer)
                .audience(resource)
                .validators(validators -> validators.put("client_id", anyClient))
                .build());
        return decoder;
    }

    @Bean
    SecurityFilterChain security(HttpSecurity http) throws Exception {
        return http.authorizeHttpRequests(requests -> requests.anyRequest().hasAuthority("SCOPE_orders:read"))
                .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
                .build();
    }
    // docs: end

    @GetMapping("/api")
    Map<String, Object> api(@AuthenticationPrincipal Jwt token) {
        return token.getClaims();
    }
}
