//! `cargo xtask generate`: the files that repeat the manifest (`shared/manifest`), written from it.
//!
//! A file is generated as a whole, or between two marker lines that contain `generated: NAME` and `end of NAME`.

mod local;
pub(crate) mod template;
pub(crate) mod wrangler;

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use wrangler::Deployment;

/// Writes one generated file, given its text of today.
type Writer = fn(&str) -> Result<String>;

/// The generated files, below the root of the checkout.
const FILES: [(&str, Writer); 7] = [
    ("template.yaml", template::write),
    ("infra/aws/web-acl.yaml", template::write_web_acl),
    ("wrangler.toml", |_| primary()),
    ("infra/cloudflare/rate-limits.json", |_| Ok(wrangler::rate_limits(&first_deployment()?))),
    ("infra/cloudflare/deploy.sh", wrangler::write_script),
    ("infra/functions/Cargo.toml", local::write_dependencies),
    ("infra/functions/src/lib.rs", local::write_functions),
];

/// The deployment that `wrangler.toml` describes.
const DEPLOYMENT: &str = "infra/cloudflare/deployment.toml";

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    for (file, generate) in FILES {
        let path = workspace::root().join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let wanted = generate(&text).with_context(|| format!("generating {file}"))?;
        if wanted != text {
            std::fs::write(&path, wanted)?;
            eprintln!("  wrote {file}");
        }
    }
    Ok(())
}

/// Fails with the differences if a generated file is not as [`write()`] would write it.
pub(crate) fn check() -> Result<()> {
    let mut stale = Vec::new();
    for (file, generate) in FILES {
        let text = std::fs::read_to_string(workspace::root().join(file)).unwrap_or_default();
        let wanted = generate(&text).with_context(|| format!("generating {file}"))?;
        if wanted != text {
            print_difference(file, &wanted)?;
            stale.push(file);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("{} differ from the manifest: run `cargo xtask generate`", stale.join(" and "))
}

/// Writes `wrangler.toml` of a second deployment in the account of the first. Fails if both use a name.
pub(crate) fn write_deployment(deployment: &Path, out: &Path) -> Result<()> {
    let directory = std::path::absolute(out)?;
    if directory.parent() != Some(workspace::root()) {
        bail!("--out: name a file in {}: wrangler resolves paths relative to it", workspace::root().display());
    }
    let text = wrangler::write(&Deployment::read(deployment)?);
    let shared = wrangler::shared_names(&primary()?, &text)?;
    if !shared.is_empty() {
        bail!("{} and {DEPLOYMENT} share: {}", deployment.display(), shared.join(", "));
    }
    Ok(std::fs::write(out, text)?)
}

fn primary() -> Result<String> {
    Ok(wrangler::write(&first_deployment()?))
}

fn first_deployment() -> Result<Deployment> {
    Deployment::read(&workspace::root().join(DEPLOYMENT))
}

fn print_difference(file: &str, wanted: &str) -> Result<()> {
    let generated = workspace::scratch("generated")?.join(file.replace('/', "-"));
    std::fs::write(&generated, wanted)?;
    let mut diff = Command::new("diff");
    diff.arg("-u").arg(workspace::root().join(file)).arg(&generated);
    // `diff` reports by its exit status that the files differ.
    let output = diff.output().context("starting diff")?;
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// Returns the text with the lines between the markers of `name` replaced by `part`.
fn replace_part(text: &str, name: &str, part: &str) -> Result<String> {
    let (start, end) = (format!("generated: {name}"), format!("end of {name}"));
    let (before, rest) = text.split_once(&start).with_context(|| format!("no line contains {start:?}"))?;
    let (comment, rest) = rest.split_once('\n').with_context(|| format!("no line contains {end:?}"))?;
    let (old, after) = rest.split_once(&end).with_context(|| format!("no line contains {end:?}"))?;
    // The end marker keeps the beginning of its line.
    let indent = old.rsplit('\n').next().unwrap_or_default();
    Ok(format!("{before}{start}{comment}\n{part}{indent}{end}{after}"))
}

/// The names of the functions that match, in the order of the manifest.
pub(crate) fn names(matches: impl Fn(&manifest::Function) -> bool) -> Vec<&'static str> {
    manifest::FUNCTIONS.iter().filter(|function| matches(function)).map(|function| function.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_between_its_markers() {
        let text = "a\n# generated: x\nold\nolder\n# end of x\nb\n";
        let new = replace_part(text, "x", "new\n").unwrap();
        assert_eq!(new, "a\n# generated: x\nnew\n# end of x\nb\n");
        assert_eq!(replace_part(&new, "x", "new\n").unwrap(), new);
        assert_eq!(
            replace_part("# generated: x\n# end of x\n", "x", "1\n").unwrap(),
            "# generated: x\n1\n# end of x\n"
        );
        assert!(replace_part(text, "y", "").is_err());
    }

    #[test]
    fn each_function_is_a_crate() {
        assert_eq!(names(|_| true), workspace::functions().unwrap());
    }

    #[test]
    fn generated_files_are_current() {
        check().unwrap();
    }
}
