//! Data models: events by what they mean, whatever their sources call their fields.
//!
//! Source: Splunk Knowledge Manager Manual, "About data models"; Splunk REST API Reference, "datamodel/model".

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::props::Lazy;
use crate::plan::suggest;

/// The data models of apps, read when a search names them.
#[derive(Debug, Default)]
pub struct Models {
    by_name: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    place: String,
    text: String,
    model: OnceLock<Result<Arc<Model>, String>>,
}

/// A data model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Its objects, those that others are made from first.
    pub objects: Vec<Object>,
}

/// A kind of events of a data model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub name: String,
    /// The object that it narrows down.
    pub parent: Option<String>,
    /// Searches that its events match, besides those of its parent.
    pub constraints: Vec<String>,
    /// The whole search that its events come from, in place of constraints.
    pub base_search: Option<String>,
    /// Its own fields: those of events, and those that are calculated.
    pub fields: Vec<String>,
    /// How fields are calculated, in this order.
    pub calculations: Vec<Calculation>,
}

/// How fields of an object are calculated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calculation {
    /// The value of an expression.
    Eval {
        /// The field.
        field: String,
        /// The expression.
        expression: Arc<Lazy>,
    },
    /// What the named groups of a regular expression hold.
    Rex {
        /// The field that is looked at.
        input: String,
        /// The regular expression.
        pattern: String,
        /// The fields.
        fields: Vec<String>,
    },
    /// What a lookup finds.
    Lookup {
        /// Its name.
        name: String,
        /// Its columns and the fields that they are compared with.
        keys: Vec<(String, String)>,
        /// Its columns and the fields that they fill.
        outputs: Vec<(String, String)>,
    },
    /// Something that spelunk does not do, and what; it leaves its fields as they are.
    Other {
        /// What it is.
        kind: String,
        /// The fields.
        fields: Vec<String>,
    },
}

impl Calculation {
    /// The fields that it sets.
    pub fn outputs(&self) -> Vec<&str> {
        match self {
            Calculation::Eval { field, .. } => vec![field],
            Calculation::Rex { fields, .. } | Calculation::Other { fields, .. } => {
                fields.iter().map(String::as_str).collect()
            }
            Calculation::Lookup { outputs, .. } => outputs.iter().map(|(_, field)| field.as_str()).collect(),
        }
    }
}

impl Models {
    /// The models of these files, each with its place; of several with one name the last counts. A file is read for
    /// good when a search names its model, which has the name of the file.
    pub fn of(files: Vec<(String, String)>) -> Self {
        let mut models = Self::default();
        for (place, text) in files {
            let file = place.rsplit(['/', '\\']).next().unwrap_or(&place);
            let name = file.strip_suffix(".json").unwrap_or(file).to_owned();
            models.by_name.insert(name, Entry { place, text, model: OnceLock::new() });
        }
        models
    }

    /// The names of the models.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The model of that name; letter case counts only if several differ by nothing else.
    ///
    /// # Errors
    /// There is none, or its file cannot be used.
    pub fn get(&self, name: &str) -> Result<Arc<Model>, String> {
        let same_letters = || self.by_name.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, e)| e);
        let Some(entry) = self.by_name.get(name).or_else(same_letters) else {
            let near = suggest::nearest(name, self.names());
            let help = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
            return Err(format!("there is no data model {name:?}{help}"));
        };
        let model = entry.model.get_or_init(|| Model::read(&entry.text).map(Arc::new));
        model.clone().map_err(|reason| format!("the data model {name:?} ({}) cannot be used: {reason}", entry.place))
    }
}

impl Model {
    /// Reads the JSON of a model.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let read: ModelFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut objects = Vec::new();
        for object in read.objects {
            objects.push(object.finish()?);
        }
        Ok(Self { name: read.model_name, objects })
    }

    /// The object of that name, without regard to letter case.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name))
    }

    /// The objects that are made of events rather than of others.
    pub fn roots(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| object.parent.is_none())
    }

    /// An object after all those that it narrows down.
    ///
    /// # Errors
    /// One of them is not there, or they form a circle.
    pub fn lineage<'m>(&'m self, object: &'m Object) -> Result<Vec<&'m Object>, String> {
        let mut line = vec![object];
        let mut at = object;
        while let Some(parent) = &at.parent {
            let Some(found) = self.object(parent) else {
                return Err(format!("the object {:?} is made from {parent:?}, which is not there", at.name));
            };
            if line.iter().any(|known| known.name == found.name) {
                return Err(format!("the object {:?} is made from itself", object.name));
            }
            line.insert(0, found);
            at = found;
        }
        Ok(line)
    }

    /// The objects that narrow one down, at any depth, each with its path from the root.
    pub fn descendants<'m>(&'m self, object: &'m Object, path: &str) -> Vec<(String, &'m Object)> {
        let mut found: Vec<(String, &Object)> = Vec::new();
        let mut left = vec![(path.to_owned(), object)];
        while let Some((path, parent)) = left.pop() {
            let children = self.objects.iter().filter(|child| child.parent.as_deref() == Some(parent.name.as_str()));
            for child in children {
                // Objects in a circle would never end.
                if found.len() < self.objects.len() {
                    let path = format!("{path}.{}", child.name);
                    found.push((path.clone(), child));
                    left.push((path, child));
                }
            }
        }
        found
    }
}

#[derive(Deserialize)]
struct ModelFile {
    #[serde(rename = "modelName")]
    model_name: String,
    objects: Vec<ObjectFile>,
}

#[derive(Deserialize)]
struct ObjectFile {
    #[serde(rename = "objectName")]
    object_name: String,
    #[serde(rename = "parentName", default)]
    parent_name: Option<String>,
    #[serde(default)]
    constraints: Vec<ConstraintFile>,
    #[serde(rename = "baseSearch", default)]
    base_search: Option<String>,
    #[serde(default)]
    fields: Vec<FieldFile>,
    #[serde(default)]
    calculations: Vec<CalculationFile>,
}

#[derive(Deserialize)]
struct ConstraintFile {
    search: String,
}

#[derive(Deserialize)]
struct FieldFile {
    #[serde(rename = "fieldName")]
    field_name: String,
    #[serde(rename = "lookupOutputFieldName", default)]
    column: Option<String>,
}

#[derive(Deserialize)]
struct InputFile {
    #[serde(rename = "inputField")]
    field: String,
    #[serde(rename = "lookupField")]
    column: String,
}

#[derive(Deserialize)]
struct CalculationFile {
    #[serde(rename = "calculationType", default)]
    kind: String,
    #[serde(rename = "outputFields", default)]
    outputs: Vec<FieldFile>,
    #[serde(default)]
    expression: Option<String>,
    #[serde(rename = "inputField", default)]
    input: Option<String>,
    #[serde(rename = "lookupName", default)]
    lookup: Option<String>,
    #[serde(rename = "lookupInputs", default)]
    keys: Vec<InputFile>,
}

/// The names that stand for no parent.
const BASES: [&str; 3] = ["BaseEvent", "BaseSearch", "BaseTransaction"];

impl ObjectFile {
    fn finish(self) -> Result<Object, String> {
        let parent = self.parent_name.filter(|parent| !parent.is_empty());
        if parent.as_deref() == Some("BaseTransaction") {
            return Err(format!("the object {:?} is made of transactions, which is not supported", self.object_name));
        }
        let mut fields: Vec<String> = self.fields.into_iter().map(|field| field.field_name).collect();
        let mut calculations = Vec::new();
        for calculation in self.calculations {
            let calculation = calculation.finish(&self.object_name)?;
            for output in calculation.outputs() {
                if !fields.iter().any(|known| known == output) {
                    fields.push(output.to_owned());
                }
            }
            calculations.push(calculation);
        }
        Ok(Object {
            name: self.object_name,
            parent: parent.filter(|parent| !BASES.contains(&parent.as_str())),
            constraints: self.constraints.into_iter().map(|constraint| constraint.search).collect(),
            base_search: self.base_search.filter(|search| !search.trim().is_empty()),
            fields,
            calculations,
        })
    }
}

impl CalculationFile {
    fn finish(self, object: &str) -> Result<Calculation, String> {
        let Self { kind, outputs, expression, input, lookup, keys } = self;
        let lacks = |what: &str| format!("a calculation ({kind}) of the object {object:?} has no {what}");
        let fields: Vec<String> = outputs.iter().map(|output| output.field_name.clone()).collect();
        match kind.to_ascii_lowercase().as_str() {
            "eval" => Ok(Calculation::Eval {
                field: fields.into_iter().next().ok_or_else(|| lacks("field"))?,
                expression: Arc::new(Lazy::new(&expression.ok_or_else(|| lacks("expression"))?)),
            }),
            "rex" => Ok(Calculation::Rex {
                input: input.ok_or_else(|| lacks("inputField"))?,
                pattern: expression.ok_or_else(|| lacks("expression"))?,
                fields,
            }),
            "lookup" => Ok(Calculation::Lookup {
                name: lookup.ok_or_else(|| lacks("lookupName"))?,
                keys: keys.into_iter().map(|key| (key.column, key.field)).collect(),
                outputs: outputs
                    .into_iter()
                    .map(|output| (output.column.unwrap_or_else(|| output.field_name.clone()), output.field_name))
                    .collect(),
            }),
            _ => Ok(Calculation::Other { kind, fields }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"{"modelName": "M", "objects": [
        {"objectName": "Root", "parentName": "BaseEvent", "constraints": [{"search": "a=1"}],
         "fields": [{"fieldName": "x"}],
         "calculations": [
            {"calculationType": "Eval", "expression": "x.1", "outputFields": [{"fieldName": "y"}]},
            {"calculationType": "Rex", "inputField": "x", "expression": "(?<z>.)", "outputFields": [{"fieldName": "z"}]},
            {"calculationType": "Lookup", "lookupName": "l", "lookupInputs": [{"inputField": "x", "lookupField": "k"}],
             "outputFields": [{"fieldName": "w", "lookupOutputFieldName": "v"}]}]},
        {"objectName": "Child", "parentName": "Root", "constraints": [{"search": "b=2"}]},
        {"objectName": "Orphan", "parentName": "Gone"},
        {"objectName": "Circle", "parentName": "Circle"}]}"#;

    #[test]
    fn objects_inherit() {
        let model = Model::read(MODEL).unwrap();
        let names = |name: &str| {
            let line = model.lineage(model.object(name).unwrap());
            line.map(|line| line.iter().map(|object| object.name.as_str()).collect::<Vec<_>>().join("."))
        };
        assert_eq!(names("Root").unwrap(), "Root");
        assert_eq!(names("child").unwrap(), "Root.Child");
        assert!(names("Orphan").unwrap_err().contains("\"Gone\", which is not there"));
        assert!(names("Circle").unwrap_err().contains("made from itself"));
        assert_eq!(model.object("Root").unwrap().fields, ["x", "y", "z", "w"]);
        let root = model.object("Root").unwrap();
        let below = model.descendants(root, "Root");
        assert_eq!(below.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["Root.Child"]);
    }

    #[test]
    fn what_is_wrong_is_told_when_a_search_names_it() {
        let models = Models::of(vec![
            ("a/Good.json".into(), MODEL.into()),
            ("a/Bad.json".into(), "{".into()),
            (
                "a/Moving.json".into(),
                r#"{"modelName":"Moving","objects":[{"objectName":"T","parentName":"BaseTransaction"}]}"#.into(),
            ),
        ]);
        assert!(models.get("good").is_ok());
        assert!(models.get("Bad").unwrap_err().contains("(a/Bad.json) cannot be used"));
        assert!(models.get("Moving").unwrap_err().contains("transactions"));
        assert!(models.get("Goood").unwrap_err().contains("did you mean \"Good\"?"));
    }
}
