//! Pages, as a browser without JavaScript reads them.

use crate::authorization::Callback;
use crate::call::{Call, Reply};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A page that a user sees.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// The response that contained it.
    pub reply: Reply,
    /// Its forms.
    pub forms: Vec<Form>,
}

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// `GET` or `POST`.
    pub method: String,
    /// The URL that receives it.
    pub action: Url,
    /// Its controls other than buttons: name and value.
    pub fields: Vec<(String, String)>,
    /// Its submit buttons that have a name: name and value.
    pub buttons: Vec<(String, String)>,
}

impl Page {
    /// Reads a page.
    pub fn read(url: &Url, reply: Reply) -> Self {
        let document = Html::parse_document(&reply.text());
        let forms = document.select(&selector("form")).map(|form| Form::read(url, form)).collect();
        Self { url: url.clone(), reply, forms }
    }

    /// Returns the text of the page.
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.reply.text());
        let body: Vec<_> = document.select(&selector("body")).flat_map(|body| body.text()).collect();
        body.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns the texts of the elements that a CSS selector matches.
    pub fn select(&self, css: &str) -> Vec<String> {
        let document = Html::parse_document(&self.reply.text());
        document.select(&selector(css)).map(|element| element.text().collect()).collect()
    }

    /// Returns the values of an attribute of the elements that a CSS selector matches.
    pub fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        let document = Html::parse_document(&self.reply.text());
        document.select(&selector(css)).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
    }

    /// Returns the URL to which the page navigates at once, without JavaScript (HTML §4.2.5.3).
    pub fn refresh(&self) -> Option<Url> {
        let contents = self.attributes("meta[http-equiv=refresh]", "content");
        let uri = contents.first()?.strip_prefix("0;url=")?;
        Some(Url::parse(uri).expect("a page leads to an absolute URI"))
    }

    /// Returns the sign-in form, if this is the sign-in page.
    pub fn login(&self) -> Option<&Form> {
        self.forms.iter().find(|form| form.has("username") && form.has("password"))
    }

    /// Returns the consent form, if this is the consent page.
    pub fn consent(&self) -> Option<&Form> {
        self.deciding("allow")
    }

    /// Returns the request of a user who signs in and allows. `None` if the page is neither the sign-in page nor
    /// the consent page.
    pub fn willing(&self, username: &str, password: &str) -> Option<Call> {
        match self.login() {
            Some(form) if self.reply.status == 200 => {
                Some(form.call(&[("username", username), ("password", password)]))
            }
            _ => self.consent().map(|form| form.call(&[("decision", "allow")])),
        }
    }

    /// Returns the response at the client to which the page offers to continue: a link, or a form to another host.
    #[track_caller]
    pub fn offered(&self) -> Callback {
        let document = Html::parse_document(&self.reply.text());
        if let Some(link) = document.select(&selector("a#continue")).next() {
            let location = self.url.join(&attribute(link, "href")).expect("the link is a URL");
            return Callback::from_location(location);
        }
        let form = self.forms.iter().find(|form| form.has("error") && form.method == "POST");
        Callback::from_form(form.unwrap_or_else(|| panic!("no way to the client: {:?}", self.reply)))
    }

    /// Returns the form with a field.
    #[track_caller]
    pub fn form(&self, field: &str) -> Form {
        let form = self.forms.iter().find(|form| form.has(field));
        form.unwrap_or_else(|| panic!("no form with the field {field}: {:?}", self.reply)).clone()
    }

    /// Returns the form with a button for a decision: `allow`, `deny`, `continue`, `cancel`, `yes`, `no`, `everywhere`, `everywhere-yes`.
    pub fn deciding(&self, decision: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.offers(decision))
    }
}

impl Form {
    fn read(url: &Url, form: ElementRef<'_>) -> Self {
        let action = match form.attr("action") {
            Some(action) if !action.is_empty() => url.join(action).expect("a form's action is a URL"),
            _ => url.clone(),
        };
        let (mut fields, mut buttons) = (Vec::new(), Vec::new());
        for control in form.select(&selector("input[name], button[name], select[name], textarea[name]")) {
            let pair = (attribute(control, "name"), attribute(control, "value"));
            let kind = attribute(control, "type").to_ascii_lowercase();
            match (control.value().name(), kind.as_str()) {
                ("button", "" | "submit") | ("input", "submit") => buttons.push(pair),
                ("button", _) => {}
                ("input", "checkbox" | "radio") if control.attr("checked").is_none() => {}
                _ => fields.push(pair),
            }
        }
        Self { method: attribute(form, "method").to_ascii_uppercase(), action, fields, buttons }
    }

    /// True if the form has a control of that name.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// True if the form has a button for a decision.
    pub fn offers(&self, decision: &str) -> bool {
        self.buttons.iter().any(|(name, value)| name == "decision" && value == decision)
    }

    /// Returns the value of a control.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Returns the request that sends the form with these controls filled in and buttons pressed.
    pub fn call(&self, entries: &[(&str, &str)]) -> Call {
        let fields = self.filled(entries);
        if self.method == "POST" {
            Call::post(self.action.as_str()).form(&fields)
        } else {
            Call::get(self.action.as_str()).query(&fields)
        }
    }

    /// Returns the fields of the form with these controls filled in and buttons pressed.
    pub fn filled(&self, entries: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut fields = self.fields.clone();
        for (name, value) in entries {
            fields.retain(|(field, _)| field != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        fields
    }
}

fn attribute(element: ElementRef<'_>, name: &str) -> String {
    element.attr(name).unwrap_or_default().to_owned()
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap_or_else(|error| panic!("{css}: {error}"))
}
