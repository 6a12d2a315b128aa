package dev.tarn;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.stream.Stream;

/** Packages know only those below them. A row names a package and everything of Tarn that it may use. */
@AnalyzeClasses(packages = "dev.tarn", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule memory = row("memory");

    @ArchTest
    static final ArchRule tensor = row("tensor", "memory");

    @ArchTest
    static final ArchRule kernel = row("kernel", "memory", "tensor", "ffm");

    @ArchTest
    static final ArchRule graph = row("graph", "memory", "tensor", "kernel");

    @ArchTest
    static final ArchRule nn = row("nn", "tensor", "graph");

    @ArchTest
    static final ArchRule optim = row("optim", "tensor", "kernel");

    @ArchTest
    static final ArchRule data = row("data", "tensor", "memory");

    @ArchTest
    static final ArchRule io = row("io", "tensor", "memory");

    @ArchTest
    static final ArchRule profile = row("profile", "io");

    @ArchTest
    static final ArchRule session = row("session", "memory", "tensor", "kernel", "graph", "nn", "optim", "data", "io");

    @ArchTest
    static final ArchRule graphs_know_no_plans_and_plans_no_programs = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("graph")
            .definedBy("dev.tarn.graph", "dev.tarn.graph.op", "dev.tarn.graph.rewrite")
            .layer("plan")
            .definedBy("dev.tarn.graph.plan")
            .layer("program")
            .definedBy("dev.tarn.graph.program")
            .whereLayer("plan")
            .mayOnlyBeAccessedByLayers("program")
            .whereLayer("program")
            .mayNotBeAccessedByAnyLayer();

    @ArchTest
    static final ArchRule third_party_code_reads_json_and_nothing_else = noClasses()
            .that()
            .resideInAPackage("dev.tarn..")
            .should()
            .dependOnClassesThat(not(resideInAnyPackage("dev.tarn..", "java..", "javax..", "jdk..", "org.jspecify..")
                    .or(resideInAPackage("tools.jackson.core.."))))
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule json_is_read_in_one_package = noClasses()
            .that()
            .resideOutsideOfPackage("dev.tarn.io..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("tools.jackson..")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule native_functions_are_called_by_the_bindings_alone = noClasses()
            .that()
            .resideOutsideOfPackage("dev.tarn.ffm..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("java\\.lang\\.foreign\\.(Linker|SymbolLookup|FunctionDescriptor).*")
            .allowEmptyShould(true);

    private static ArchRule row(String name, String... mayUse) {
        String[] allowed = Stream.concat(Stream.of(name), Stream.of(mayUse))
                .map(used -> "dev.tarn." + used + "..")
                .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage("dev.tarn." + name + "..")
                .should()
                .dependOnClassesThat(resideInAPackage("dev.tarn..").and(not(resideInAnyPackage(allowed))))
                .as(name + " uses nothing of Tarn but " + String.join(", ", mayUse))
                .allowEmptyShould(true);
    }
}
