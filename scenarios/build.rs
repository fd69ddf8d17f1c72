//! Embeds the library anew when a story is added: the embedding macro notices changed files only.

fn main() {
    println!("cargo::rerun-if-changed=library");
}
